"""The Score tab: a prompt, two to four responses, and what the model makes of them, side by side."""

import html
import time
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ..errors import BadInput
from ..records import Score
from ..reward.reward_model import RewardModel, first_choice
from ..sample import NAME as SAMPLE
from ..settings import Settings
from ..store import Store
from ..training import runs
from ..training.config import configured
from .examples import EXAMPLES
from .feedback import HIDDEN, QUIET, check_size, may_write, shows_errors
from .inputs import Choices
from .render import duration, empty

LETTERS = "ABCD"
NO_SCORE = empty("No score yet", "Write a prompt and two responses, or pick an example, then press Score.")


def sentence(chances: Sequence[float]) -> str:
    """Return who is preferred and how strongly, in words."""
    best = max(range(len(chances)), key=lambda index: chances[index])
    lead = chances[best] / (chances[best] + max(chance for index, chance in enumerate(chances) if index != best))
    if lead < 0.55:
        return "No clear preference"
    strength = "Slightly prefers" if lead < 0.7 else "Prefers" if lead < 0.9 else "Strongly prefers"
    return f"{strength} response {LETTERS[best]}"


def result_html(scores: Sequence[Score], model: str, seconds: float) -> str:
    """Return the verdict, the win probabilities as one split bar, and each reward on a common scale around zero."""
    rewards = [score.reward for score in scores]
    span = max(1.0, *(abs(reward) for reward in rewards))
    lines = "".join(reward_row(LETTERS[i], reward, span) for i, reward in enumerate(rewards))
    tokens = " / ".join(f"{score.tokens:,}" for score in scores)
    cut = [f"{LETTERS[i]} by {score.truncated:,}" for i, score in enumerate(scores) if score.truncated]
    warning = f'<p class="warn">Cut off, so not all was read: {", ".join(cut)} tokens.</p>' if cut else ""
    head = ""
    if len(scores) > 1:
        chances = first_choice(rewards)
        margin = f"<span>reward margin {rewards[0] - rewards[1]:+.2f}</span>" if len(scores) == 2 else ""
        formula = "σ(r<sub>A</sub> − r<sub>B</sub>)" if len(scores) == 2 else "exp r / Σ exp r"
        parts = "".join(
            f'<div class="{LETTERS[i].lower()}" style="flex:{max(chance, 0.07):.3f} 1 0">{LETTERS[i]} {100 * chance:.0f}%</div>'
            for i, chance in enumerate(chances)
        )
        spoken = ", ".join(f"{LETTERS[i]} {100 * chance:.0f} percent" for i, chance in enumerate(chances))
        head = (
            f'<p class="verdict">{sentence(chances)}{margin}</p><p class="over"><b>Win probability</b><em>{formula}</em></p>'
            f'<div class="split" role="img" aria-label="Win probability: {spoken}">{parts}</div>'
        )
    return (
        f'<section class="card" aria-label="Score">{head}'
        f'<p class="over"><b>Reward</b><em>raw model score, comparable within this model</em></p>'
        f'<div class="rewards">{lines}<div class="axis"><span>−{span:.2g}</span><span>0</span><span>+{span:.2g}</span></div></div>'
        f"{warning}<footer><span>Model <b>{html.escape(model)}</b></span><span>Tokens <b>{tokens}</b></span>"
        f"<span>Time <b>{1000 * seconds:.0f} ms</b></span></footer></section>"
    )


def reward_row(letter: str, reward: float, span: float) -> str:
    zero, end = 50.0, 50 + 50 * reward / span
    left, width = min(zero, end), abs(end - zero)
    return (
        f'<span class="badge {letter.lower()}" aria-hidden="true">{letter}</span><div class="track" role="img" '
        f'aria-label="Reward of response {letter}: {reward:+.2f}"><i class="{letter.lower()}" '
        f'style="left:{left:.1f}%;width:{width:.1f}%"></i><u></u></div><span class="number">{reward:+.3f}</span>'
    )


def training_html(run: runs.Run, progress: runs.Progress) -> str:
    left = f", about {duration(progress.seconds_left)} left" if progress.seconds_left else ""
    return (
        '<div class="empty"><b>The first model is being trained on the sample</b>'
        f"{html.escape(progress.stage)}: step {progress.step} of {progress.total_steps or '…'}{left}. You can score when it is done."
        f'<div class="progress"><i style="width:{100 * progress.share:.1f}%"></i></div></div>'
    )


def build(store: Store, settings: Settings, load: Callable[[str], RewardModel]) -> Any:
    """Build the tab and return `(handler, inputs, outputs)` for its opening."""
    # Layout
    with gr.Column(visible=False, elem_id="untrained") as untrained:
        waiting = gr.HTML()
        train = gr.Button("Train on the sample", variant="primary", elem_id="train-sample")
    model = Choices([], label="Model", elem_id="model", visible=False)
    prompt = gr.Textbox(label="Prompt", lines=2, max_lines=8, placeholder="What did the user ask?", elem_id="prompt")
    with gr.Row(equal_height=True, elem_id="responses"):
        responses = [
            gr.Textbox(
                label=f"Response {letter}", lines=6, max_lines=16, elem_classes=f"side-{letter.lower()}", min_width=260,
                visible=place < 2, elem_id=f"response-{letter.lower()}",
            )
            for place, letter in enumerate(LETTERS)
        ]  # fmt: skip
    with gr.Row(elem_classes="actions"):
        go = gr.Button("Score", variant="primary", scale=0, min_width=150, elem_id="score")
        swap = gr.Button("Swap A and B", scale=0, min_width=130)
        more = gr.Button("Add a response", scale=0, min_width=140)
        clear = gr.Button("Clear", scale=0, min_width=90)
    result = gr.HTML(NO_SCORE, elem_id="result")
    gr.Examples(
        [list(each[1:]) for each in EXAMPLES], [prompt, *responses[:2]], label="Examples",
        example_labels=[each[0] for each in EXAMPLES], api_visibility="private",
    )  # fmt: skip
    timer = gr.Timer(2, active=False)
    count = gr.State(2)
    texts = [prompt, *responses]

    # Handlers
    @shows_errors
    def score(model: str | None, prompt: str, *texts: str) -> str:
        if not model:
            raise BadInput("There is no model yet. Train one on the sample first, with the button above.")
        texts = tuple(text or "" for text in texts)
        last = max((place for place, text in enumerate(texts) if text.strip()), default=-1)
        given = texts[: last + 1]
        if not (prompt or "").strip() or not given:
            raise BadInput("Write a prompt and at least one response.")
        if empty_one := next((LETTERS[place] for place, text in enumerate(given) if not text.strip()), None):
            raise BadInput(f"Response {empty_one} is empty. Fill it in, or move the others up.")
        check_size(prompt, given)
        start = time.perf_counter()
        scores = load(model).score([(prompt, text) for text in given])
        return result_html(scores, model, time.perf_counter() - start)

    def add(count: int) -> tuple:
        count = min(len(LETTERS), count + 1)
        return (
            count,
            *[gr.Textbox(visible=place < count) for place in range(len(LETTERS))],
            gr.Button(interactive=count < 4),
        )

    def cleared() -> tuple:
        return (
            2,
            "",
            *[gr.Textbox("", visible=place < 2) for place in range(len(LETTERS))],
            gr.Button(interactive=True),
            NO_SCORE,
        )

    @shows_errors
    def train_sample(profile: gr.OAuthProfile | None) -> Any:
        may_write(settings, profile)
        if not any(run.alive for run in runs.every(store)):
            runs.start(store, configured("quick", dataset=SAMPLE))
        return gr.Timer(active=True)

    @shows_errors
    def look(model_now: str | None) -> tuple:
        """Show the models there are; while there is none, how far the first one is."""
        every = runs.every(store)
        names = [run.id for run in every if run.has_model]
        alive = next((run for run in every if run.alive), None)
        value = model_now if model_now in names else names[0] if names else None
        words = (
            training_html(alive, runs.progress(store, alive.id))
            if alive
            else empty(
                "No reward model is trained yet",
                "Train one on the sample; it takes about two minutes. Then score here.",
            )
        )
        return (
            Choices(names, value=value, visible=bool(names)), gr.Column(visible=not names), words,
            gr.Button(visible=not alive), gr.Timer(active=bool(alive and not names)),
        )  # fmt: skip

    # Wiring
    screen = [model, untrained, waiting, train, timer]
    gr.on([go.click, prompt.submit], score, [model, *texts], result, api_name="score_page", concurrency_id="model",
          concurrency_limit=1, show_progress="minimal", **HIDDEN)  # fmt: skip
    swap.click(None, responses[:2], responses[:2], js="(a, b) => [b, a]", api_name="swap", **HIDDEN)
    more.click(add, count, [count, *responses, more], api_name="add_response", **QUIET)
    clear.click(cleared, None, [count, *texts, more, result], api_name="clear", **QUIET)
    train.click(train_sample, None, timer, api_name="train_sample", **HIDDEN).success(
        look, model, screen, api_name="look_trained", **QUIET
    )
    timer.tick(look, model, screen, api_name="look_for_model", **QUIET)
    return look, [model], screen
