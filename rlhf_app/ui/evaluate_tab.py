"""The Evaluate tab: how often a model agrees with people, beside what is trivial, and where it is wrong."""

import html
from typing import Any

import gradio as gr

from ..data.comparisons import datasets
from ..evaluation.report import Evaluation, Mistake, evaluate_on, evaluation_of
from ..settings import Settings
from ..store import Store
from ..training import runs
from .charts import histogram, share_rows
from .feedback import HIDDEN, QUIET, may_write, shows_errors
from .inputs import Choices
from .render import PLAIN, RENDERED, empty, side_by_side

HELD_OUT = ""
NO_MODEL = empty(
    "No model to evaluate", "Train one in the Train tab; the held-out pairs are judged when it has finished."
)


def verdict(found: Evaluation) -> str:
    """Return the evaluation in one sentence that is fair."""
    accuracy, gain = found.eval_accuracy, found.gain_over_length
    few = found.eval_accuracy.method.startswith(("t over", "unknown"))
    beside = (
        "from too few groups to compare it with picking the longer one"
        if few and gain.low <= 0 <= gain.high
        else "clearly better than picking the longer one"
        if gain.low > 0
        else "worse than picking the longer one"
        if gain.high < 0
        else "not clearly better than picking the longer one"
    )
    return f"Agrees with people on {accuracy.value:.0%} of {found.pairs:,} pairs, {beside}."


def report_html(found: Evaluation) -> str:
    """Return an evaluation as a page."""
    rows = [
        ("This model", found.eval_accuracy, "model"),
        ("Longer wins", found.longer_wins, "baseline"),
        ("First side wins", found.first_side_wins, "baseline"),
    ]
    facts = [f"{found.ties:,} ties beside them", f"loss {found.eval_loss:.3f}", f"mean margin {found.mean_margin:+.2f}",
             f"interval: 95 %, {found.eval_accuracy.method}"]  # fmt: skip
    if found.seen_in_training:
        facts.append(f"{found.seen_in_training:,} pairs left out: the model has learned from their prompts")
    if found.difference_to_training is not None:
        facts.append(f"saved model and training differ by {found.difference_to_training:.0e} at most")
    categories = "".join(
        f"<tr><th scope='row'>{html.escape(row.category)}</th><td>{row.pairs:,}</td><td>{row.eval_accuracy.value:.0%}</td>"
        f"<td>{row.eval_accuracy.low:.0%} – {row.eval_accuracy.high:.0%}</td><td>{row.longer_wins:.0%}</td></tr>"
        for row in found.categories
    )
    table = (
        "<table class='plain'><thead><tr><th>Category</th><th>Pairs</th><th>Right</th><th>95 % interval</th><th>Longer wins</th>"
        f"</tr></thead><tbody>{categories}</tbody></table>"
    )
    return (
        f'<section class="card"><p class="verdict">{html.escape(verdict(found))}</p>{share_rows(rows)}'
        f'<footer>{"".join(f"<span>{html.escape(fact)}</span>" for fact in facts)}</footer></section>'
        f'<div class="pictures">'
        f'{histogram(found.margins, "Margin: reward of the better response minus the other; left of 0 is wrong", signed=True)}'
        f'<figure><figcaption>By category</figcaption>{table}</figure></div>'
    )  # fmt: skip


def mistake_html(mistake: Mistake | None, place: str, mode: str) -> str:
    if mistake is None:
        return empty("No mistakes", "On these pairs the model agrees with people every time.")
    sides = [("b", "People chose", mistake.chosen), ("a", "The model preferred", mistake.rejected)]
    facts = [
        place,
        f"margin {mistake.margin:+.2f}",
        f"id: {mistake.comparison_id}",
        f"category: {mistake.category or '(none)'}",
    ]
    return side_by_side(mistake.prompt, sides, mode, facts)


def build(store: Store, settings: Settings) -> Any:
    """Build the tab and return `(handler, inputs, outputs)` for its opening."""
    # Layout
    with gr.Row(elem_classes="filters"):
        run = Choices([], label="Run", elem_id="evaluated-run", scale=2)
        on = Choices([("Its held-out pairs", HELD_OUT)], value=HELD_OUT, label="On", scale=1, elem_id="evaluated-on")
    report = gr.HTML(NO_MODEL, elem_id="evaluation")
    with gr.Column(visible=False, elem_id="mistakes") as mistakes:
        gr.Markdown("### The worst mistakes")
        mistake = gr.HTML()
        with gr.Row(elem_classes="actions pager"):
            backward = gr.Button("‹ Previous mistake", scale=0)
            forward = gr.Button("Next mistake ›", scale=0)
            mode = gr.Radio([RENDERED, PLAIN], value=RENDERED, show_label=False, container=False, elem_classes="mode")
    found = gr.State(None)
    index = gr.State(0)

    # Handlers
    @shows_errors
    def evaluate(run: str | None, on: str | None, mode: str, profile: gr.OAuthProfile | None) -> tuple:
        if not run:
            return NO_MODEL, gr.Column(visible=False), None, 0, ""
        if on:
            may_write(settings, profile)
        evaluation = evaluate_on(store, run, on) if on else evaluation_of(store, run)
        return (
            report_html(evaluation),
            gr.Column(visible=True),
            evaluation.mistakes,
            0,
            read(evaluation.mistakes, 0, mode),
        )

    def read(found: list[Mistake], index: int, mode: str) -> str:
        return mistake_html(found[index] if found else None, f"{index + 1} of {len(found)}", mode)

    def turn(by: int) -> Any:
        def turned(found: list[Mistake] | None, index: int, mode: str) -> tuple[int, str]:
            index = (index + by) % max(1, len(found or []))
            return index, read(found or [], index, mode)

        return turned

    @shows_errors
    def open_tab(run: str | None, on: str | None) -> tuple:
        names = [each.id for each in runs.every(store) if each.has_model]
        sets = [("Its held-out pairs", HELD_OUT), *((each.name, each.name) for each in datasets(store))]
        value = run if run in names else names[0] if names else None
        return Choices(names, value=value), Choices(sets, value=on or HELD_OUT)

    # Wiring
    screen = [report, mistakes, found, index, mistake]
    gr.on(
        [run.change, on.input], evaluate, [run, on, mode], screen, api_name="evaluate", concurrency_id="model", **HIDDEN
    )
    for button, by in ((backward, -1), (forward, 1)):
        button.click(turn(by), [found, index, mode], [index, mistake], api_name=f"mistake_{by}", **QUIET)
    mode.input(turn(0), [found, index, mode], [index, mistake], api_name="mistake_mode", **QUIET)
    return open_tab, [run, on], [run, on]
