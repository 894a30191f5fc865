"""The Train tab: choose, see what will happen, start, watch, stop."""

import html
import time
from dataclasses import fields
from typing import Any

import gradio as gr

from ..errors import AppError, BadInput
from ..reward.base_models import EMBEDDED, OFFERED
from ..settings import Settings
from ..store import Store
from ..training import runs
from ..training.config import PRESETS, TrainingConfig, configured
from ..training.plan import Plan, plan
from .charts import curve
from .feedback import HIDDEN, QUIET, done, may_write, shows_errors
from .inputs import Choices
from .render import duration, empty

PRESET_WORDS = [("Quick", "quick"), ("Balanced", "balanced"), ("Full", "full")]  # fmt: skip
CURVES = (("Loss", "loss", "eval_loss"), ("Accuracy", "accuracy", "eval_accuracy"), ("Margin", "margin", "eval_margin"))
FOLDED = (
    "epochs",
    "learning_rate",
    "batch_size",
    "max_length",
    "frozen_layers",
    "split_by",
    "held_out",
    "center_rewards_coefficient",
    "seed",
)
NO_RUN = empty("Nothing is training", "Choose a dataset and a preset, then press Start training.")
TRAIN, HELD_OUT = "#6366f1", "#0d9488"


def plan_html(plan: Plan) -> str:
    """Return what a run would do, in words."""
    j, parts = plan.judged, plan.parts
    left_out = [
        f"{n:,} {words}"
        for n, words in ((j.undecided, "undecided"), (j.skipped, "skipped"), (j.unjudged, "not judged"))
        if n
    ]
    rows = [
        ("Pairs", f"{j.wins:,} with a winner and {j.ties:,} ties" + (f"; left out: {', '.join(left_out)}" if left_out else "")),
        ("Split", f"{parts['train']:,} to learn from, {parts['validation']:,} watched while training, {parts['test']:,} kept "
                  f"for the final evaluation; by {plan.split_by}, so that no {plan.split_by} is on two sides"),
    ]  # fmt: skip
    if plan.seconds is None:
        rows.append(("Model", "is not on this machine yet; it is fetched from the Hub when the run starts"))
    else:
        rows.append(
            ("Length", f"{plan.tokens_a_text:.0f} tokens a text; {plan.truncated_share:.1%} of the texts are cut off")
        )
        rows.append(("Time", f"about {duration(plan.seconds)} on this machine"))
    cells = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows)
    return f'<dl class="plan">{cells}</dl>'


def status_html(run: runs.Run, progress: runs.Progress) -> str:
    """Return a run's state and how far it is."""
    facts = [f"step {progress.step:,} of {progress.total_steps:,}" if progress.total_steps else "", progress.stage]
    facts += [f"{progress.pairs_per_second:.1f} pairs a second"] if progress.pairs_per_second else []
    facts += [f"{duration(progress.seconds)} so far" if run.alive else f"took {duration(progress.seconds)}"]
    if run.state == "running" and progress.seconds_left is not None:
        facts.append(f"about {duration(progress.seconds_left)} left")
    message = f'<p class="warn">{html.escape(run.message)}</p>' if run.message else ""
    if run.state == "interrupted":
        message = '<p class="warn">Its process vanished before the end. Start it again with the same settings.</p>'
    return (
        f'<section class="status"><header><span class="pill {run.state}">{run.state}</span><b>{html.escape(run.id)}</b></header>'
        f'<div class="progress" role="progressbar" aria-label="Training" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * progress.share:.0f}"><i style="width:{100 * progress.share:.1f}%"></i></div>'
        f"<p>{' · '.join(html.escape(fact) for fact in facts if fact)}</p>{message}</section>"
    )


def run_choices(store: Store) -> list[tuple[str, str]]:
    return [(f"{run.id}  ({run.state})", run.id) for run in runs.every(store)]


def setting_input(name: str) -> Any:
    """Return the input of a setting, made from its declaration."""
    declared = next(each for each in fields(TrainingConfig) if each.name == name)
    rules, value = declared.metadata, PRESETS["quick"].get(name, declared.default)
    label = name.replace("_", " ").capitalize()
    if "choices" in rules:
        return gr.Dropdown(list(rules["choices"]), value=value, label=label, info=rules["help"])
    if isinstance(declared.default, float) and rules["maximum"] < 1 and rules["minimum"] > 1e-3:
        return gr.Slider(rules["minimum"], rules["maximum"], value=value, step=0.05, label=label, info=rules["help"])
    whole = 0 if isinstance(declared.default, int) else None
    return gr.Number(
        value, label=label, info=rules["help"], precision=whole, minimum=rules["minimum"], maximum=rules["maximum"]
    )


def build(store: Store, settings: Settings, dataset: Choices) -> Any:
    """Build the tab and return `(handler, inputs, outputs)` for its opening, and its timer."""
    # Layout
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            base = gr.Dropdown(
                [(f"{each.id} ({each.about})", each.id) for each in OFFERED], value=EMBEDDED, label="Base model",
                info="or write any Hub id or local folder", allow_custom_value=True, elem_id="base",
            )  # fmt: skip
            preset = gr.Radio(
                PRESET_WORDS,
                value="quick",
                label="How long",
                elem_id="preset",
                info="Quick: the upper layers, two rounds. Balanced: all layers, five rounds. Full: longer texts, eight.",
            )
            with gr.Accordion("All settings", open=False):
                inputs = {name: setting_input(name) for name in FOLDED}
                topics = gr.Textbox(label="Held out topics", placeholder="none: a share is drawn",
                                    info="names with commas between; where comparisons have a topic")  # fmt: skip
        with gr.Column(min_width=320):
            forecast = gr.HTML(elem_id="plan", min_height=120)
            with gr.Row(elem_classes="actions"):
                go = gr.Button("Start training", variant="primary", elem_id="start", scale=0, min_width=160)
                halt = gr.Button("Stop", variant="stop", elem_id="stop", scale=0, min_width=100, interactive=False)
    chosen = Choices([], label="Run", elem_id="run", info="It goes on when you close this page.")
    status = gr.HTML(NO_RUN, elem_id="status")
    with gr.Row(visible=False) as pictures:
        plots = [
            gr.LinePlot(x="step", y="value", color="of", title=title, x_title="step", y_title=" ", color_title=" ", height=230,
                        color_map={"training batches": TRAIN, "watched pairs": HELD_OUT}, min_width=260, buttons=[])
            for title, _, _ in CURVES
        ]  # fmt: skip
    with gr.Accordion("Log", open=False):
        log = gr.Textbox(
            show_label=False, lines=12, max_lines=12, interactive=False, autoscroll=True, elem_id="log", container=False
        )
    timer = gr.Timer(2, active=False)
    version = gr.State("")
    names = ("base", *FOLDED)
    form = [dataset, preset, base, topics, *inputs.values()]
    screen = [status, halt, log, pictures, *plots]

    # Handlers
    def config_of(dataset: str, preset: str, base: str, topics: str, *values: Any) -> TrainingConfig:
        held_out = tuple(name.strip() for name in (topics or "").split(",") if name.strip()) or None
        given = dict(zip(names, (base.strip() if base else None, *values), strict=True))
        return configured(preset, dataset=dataset, held_out_topics=held_out, **given)

    def fill_preset(preset: str) -> list[Any]:
        own = configured(preset)
        return [getattr(own, name) for name in FOLDED]

    @shows_errors
    def show_plan(profile: gr.OAuthProfile | None, *form: Any) -> str:
        """Return the forecast; what stands in the way of training is shown in its place, not as a toast."""
        if not form[0]:
            return empty("No dataset", "Add comparisons in the Data tab.")
        try:
            if form[2] not in [each.id for each in OFFERED]:
                may_write(settings, profile)
            return plan_html(plan(store, config_of(*form)))
        except AppError as error:
            return empty("Not ready to train", str(error))

    @shows_errors
    def start(profile: gr.OAuthProfile | None, *form: Any) -> tuple:
        may_write(settings, profile)
        if not form[0]:
            raise BadInput("Choose a dataset first.")
        run = runs.start(store, config_of(*form))
        done(f"Run {run.id} has started. It goes on when you close this page.")
        return Choices(run_choices(store), value=run.id), gr.Timer(active=True)

    @shows_errors
    def stop(run_id: str | None, profile: gr.OAuthProfile | None) -> Any:
        may_write(settings, profile)
        if run_id:
            runs.stop(store, run_id)
            done("It stops after the step it is in, and keeps the model so far.")
        return gr.Button(interactive=False)

    def draw(run_id: str | None) -> tuple:
        if not run_id:
            return NO_RUN, gr.Button(interactive=False), "", gr.Row(visible=False), *[gr.skip()] * len(CURVES)
        run, progress = runs.get(store, run_id), runs.progress(store, run_id)
        curves = [curve(progress, train, held_out) for _, train, held_out in CURVES]
        log = "" if settings.on_space else runs.log(store, run_id)  # it holds paths of the machine
        drawn = gr.Row(visible=progress.step > 0)
        return status_html(run, progress), gr.Button(interactive=run.alive), log, drawn, *curves

    @shows_errors
    def look(run_id: str | None, seen: str) -> tuple:
        """Draw the run if it has told something new, else send nothing; stop looking when it has ended."""
        if not run_id:
            return "", gr.Timer(active=False), *draw(None)
        alive = runs.get(store, run_id).alive
        version = f"{run_id} {runs.version(store, run_id)} {alive} {time.time() // 10 if alive else ''}"
        if version == seen:
            return gr.skip()
        return version, gr.Timer(active=alive), *draw(run_id)

    @shows_errors
    def open_tab(run_id: str | None) -> tuple:
        choices = run_choices(store)
        alive = next((run.id for run in runs.every(store) if run.alive), None)
        known = run_id if run_id in [value for _, value in choices] else None
        value = alive or known or (choices[0][1] if choices else None)
        return Choices(choices, value=value), gr.Timer(active=bool(alive))

    # Wiring
    gr.on([preset.input], fill_preset, preset, list(inputs.values()), api_name="fill_preset", **QUIET).then(
        show_plan, form, forecast, api_name="show_plan_of_preset", show_progress="minimal", **HIDDEN
    )
    gr.on(
        [dataset.change, base.input, topics.submit, *(each.input for each in inputs.values())], show_plan, form, forecast,
        api_name="show_plan", trigger_mode="always_last", show_progress="minimal", **HIDDEN,
    )  # fmt: skip
    go.click(start, form, [chosen, timer], api_name="start", **HIDDEN)
    halt.click(stop, chosen, halt, api_name="stop_run", **HIDDEN)
    watched = [version, timer, *screen]
    chosen.change(look, [chosen, version], watched, api_name="look_at", show_progress="hidden", **HIDDEN)
    timer.tick(look, [chosen, version], watched, api_name="look", **QUIET)
    return (open_tab, chosen, [chosen, timer]), (show_plan, form, forecast), timer
