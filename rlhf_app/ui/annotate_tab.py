"""The Annotate tab: one comparison at a time, judged with one key."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from ..annotation.annotations import Done, annotate, annotator_name, done, guidelines, set_guidelines, undo
from ..annotation.queue import as_shown, as_stored, next_comparison
from ..data.comparisons import Listed, get
from ..records import Choice
from ..settings import Settings
from ..store import Store
from .feedback import HIDDEN, IN_TURN, QUIET, may_write, shows_errors
from .feedback import done as tell_done
from .inputs import Choices
from .render import PLAIN, RENDERED, empty, side_by_side

CHOICES: tuple[tuple[Choice, str], ...] = (("a", "A is better  (A)"), ("tie", "Tie  (T)"), ("b", "B is better  (B)"),
                                           ("skip", "Skip  (S)"))  # fmt: skip
NO_NAME = empty("Who judges?", "Write your name above; it is kept in this browser, and your judgements under it.")
ALL_DONE = empty(
    "All judged", "You have judged every comparison here. Train on them in the Train tab, or add more in Data."
)
NO_DATA = empty("No dataset", "Add comparisons in the Data tab.")


def card(listed: Listed, annotator: str, mode: str) -> str:
    """Return a comparison as this annotator sees it, the sides shuffled."""
    left, right = as_shown(listed.comparison, annotator)
    return side_by_side(listed.comparison.prompt, [("a", "Response A", left), ("b", "Response B", right)], mode)


def progress_html(done: Done) -> str:
    share = done.mine / done.total if done.total else 0
    return (
        f'<div class="progress" role="progressbar" aria-label="Judged by you" aria-valuemin="0" aria-valuemax="{done.total}"'
        f' aria-valuenow="{done.mine}"><i style="width:{100 * share:.2f}%"></i></div>'
        f"<p><b>{done.mine:,}</b> of {done.total:,} judged by you, {done.anyone:,} by anyone</p>"
    )


def build(
    store: Store, settings: Settings, dataset: Choices, remembered: gr.BrowserState, default_guidelines: str
) -> Any:
    """Build the tab and return its `(handler, inputs, outputs)` that shows what is next, for the tab's opening."""
    # Layout
    with gr.Row(elem_classes="filters"):
        annotator = gr.Textbox(
            label="Your name", placeholder="Judgements are stored under it", elem_id="annotator", scale=1
        )
        progress = gr.HTML(elem_id="judged", elem_classes="grow")
    with gr.Row(elem_id="judging"):
        with gr.Column(scale=3, min_width=320):
            shown = gr.HTML(NO_NAME, elem_id="card")
            with gr.Row(elem_classes="actions judge"):
                buttons = {
                    choice: gr.Button(
                        words, elem_id=f"judge-{choice}", elem_classes=choice, interactive=False, min_width=110
                    )
                    for choice, words in CHOICES
                }
                back = gr.Button("Undo  (U)", elem_id="judge-undo", scale=0, min_width=100)
            mode = gr.Radio([RENDERED, PLAIN], value=RENDERED, show_label=False, container=False, elem_classes="mode")
        with gr.Column(scale=1, min_width=240), gr.Accordion("Guidelines", open=True):
            rules = gr.Markdown(elem_id="guidelines")
            edit = gr.Button("Edit", size="sm", scale=0)
            draft = gr.Textbox(label="Guidelines of this dataset (Markdown)", lines=12, visible=False)
            save = gr.Button("Save guidelines", variant="primary", size="sm", visible=False)
    # What is judged is what was on the screen at the click, as it was shown: dataset, annotator and id travel with the page.
    on_screen = gr.JSON(visible=False)
    screen = [on_screen, shown, progress, *buttons.values()]

    # Handlers
    def show(dataset: str, name: str, mode: str, listed: Listed | None) -> tuple:
        done_so_far = progress_html(done(store, dataset, name))
        allowed = [gr.Button(interactive=listed is not None)] * len(buttons)
        if listed is None:
            return None, ALL_DONE, done_so_far, *allowed
        return [dataset, name, listed.comparison.id], card(listed, name, mode), done_so_far, *allowed

    @shows_errors
    def show_next(dataset: str | None, name: str, mode: str) -> tuple:
        if not dataset or not (name or "").strip():
            return None, NO_NAME if dataset else NO_DATA, "", *[gr.Button(interactive=False)] * len(buttons)
        name = annotator_name(name)
        return show(dataset, name, mode, next_comparison(store, dataset, name))

    def judging(choice: Choice) -> Callable:
        @shows_errors
        def judge(dataset: str, name: str, mode: str, shown: list | None, profile: gr.OAuthProfile | None) -> tuple:
            may_write(settings, profile)
            name = annotator_name(name)
            if shown and shown[:2] == [dataset, name]:
                annotate(store, dataset, shown[2], name, as_stored(choice, name, shown[2]))
            return show(dataset, name, mode, next_comparison(store, dataset, name))

        return judge

    @shows_errors
    def take_back(dataset: str, name: str, mode: str, profile: gr.OAuthProfile | None) -> tuple:
        may_write(settings, profile)
        name = annotator_name(name)
        undone = undo(store, dataset, name)
        return show(dataset, name, mode, get(store, dataset, undone.comparison_id))

    @shows_errors
    def redraw(mode: str, shown: list | None) -> Any:
        return card(get(store, shown[0], shown[2]), shown[1], mode) if shown else gr.skip()

    @shows_errors
    def show_guidelines(dataset: str | None) -> str:
        return guidelines(store, dataset, default_guidelines) if dataset else default_guidelines

    def start_edit(rules: str) -> tuple:
        return gr.Textbox(rules, visible=True), gr.Button(visible=True)

    @shows_errors
    def save_guidelines(dataset: str, text: str, profile: gr.OAuthProfile | None) -> tuple:
        may_write(settings, profile)
        set_guidelines(store, dataset, text)
        tell_done("The guidelines are saved for this dataset.")
        return text, gr.Textbox(visible=False), gr.Button(visible=False)

    # Wiring
    who = [dataset, annotator, mode]
    for choice, button in buttons.items():
        button.click(judging(choice), [*who, on_screen], screen, api_name=f"judge_{choice}",
                     show_progress="hidden", concurrency_limit=None, **HIDDEN)  # fmt: skip
    back.click(take_back, who, screen, api_name="undo", show_progress="hidden", **HIDDEN)
    gr.on(
        [annotator.submit, annotator.blur],
        show_next,
        who,
        screen,
        api_name="show_next",
        show_progress="hidden",
        **HIDDEN,
    )
    annotator.input(lambda name: name, annotator, remembered, api_name="remember", **QUIET)
    dataset.change(show_next, who, screen, api_name="show_next_of_dataset", show_progress="hidden", **IN_TURN, **HIDDEN)
    dataset.change(show_guidelines, dataset, rules, api_name="show_guidelines", **QUIET)
    mode.input(redraw, [mode, on_screen], shown, api_name="redraw", **QUIET)
    edit.click(start_edit, rules, [draft, save], api_name="edit_guidelines", **QUIET)
    save.click(save_guidelines, [dataset, draft], [rules, draft, save], api_name="save_guidelines", **HIDDEN)
    return (lambda kept: kept, remembered, annotator), (show_next, who, screen)
