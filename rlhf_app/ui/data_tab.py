"""The Data tab: bring comparisons in, and look at those that are there."""

import html
from pathlib import Path
from typing import Any

import gradio as gr

from ..data import comparisons, importing
from ..data.comparisons import Listed, Query
from ..data.hub_rows import OFFERED, HubSource
from ..errors import BadInput
from ..records import prompt_text
from ..settings import Settings
from ..store import Store
from .charts import VERDICTS, statistics_html
from .feedback import HIDDEN, QUIET, done, may_write, shows_errors
from .inputs import Choices
from .render import PLAIN, RENDERED, empty, side_by_side

ROWS = 25
CATEGORIES = 200
"""How many categories the filter offers, the most frequent ones."""
CELL = 140
HEADERS = ["Prompt", "Response A", "Response B", "Category", "Judgement"]
JUDGEMENTS = [("Any judgement", ""), ("Judged", "judged"), *((words, key) for key, words in VERDICTS.items())]
SORTS = [("As imported", "imported"), ("Newest first", "newest"), ("Longest first", "longest"),
         ("Shortest first", "shortest"), ("By category", "category")]  # fmt: skip
NO_ROW = empty("No comparison selected", "Select a row of the table to read its prompt and both responses.")
MEANINGS = ["prompt", "response_a", "response_b", "chosen", "rejected", "judgement", "category", "id", "annotator"]


def cut(text: str) -> str:
    """Return a text as one line that fits a cell."""
    line = " ".join(text[: 4 * CELL].split())
    return line if len(line) <= CELL else line[: CELL - 1] + "…"


def query_of(search: str | None, category: str | None, judgement: str | None, sort: Any) -> Query:
    """Return the query of the filters; one that is not on the screen yet has no value."""
    return Query(search or "", category or "", judgement or "", sort or "imported")


def table_row(listed: Listed) -> list[str]:
    one = listed.comparison
    verdict = VERDICTS[listed.verdict or "unjudged"]
    return [cut(prompt_text(one.prompt)), cut(one.response_a), cut(one.response_b), one.category, verdict]


def detail(listed: Listed | None, mode: str) -> str:
    """Return one comparison to read, with what is known of it."""
    if listed is None:
        return NO_ROW
    one = listed.comparison
    better = {"a": ("A", ""), "b": ("", "B")}.get(listed.verdict or "", ("", ""))
    titles = [f"Response {side}{' · better' if side in better else ''}" for side in ("A", "B")]
    facts = [f"id: {one.id}", f"judgement: {VERDICTS[listed.verdict or 'unjudged']}"]
    facts += [f"{key}: {cut(str(value))}" for key, value in one.metadata.items()]
    sides = [("a", titles[0], one.response_a), ("b", titles[1], one.response_b)]
    return side_by_side(one.prompt, sides, mode, facts)


REASONS = 12
"""How many different reasons are listed; a broken file can have thousands."""


def preview(staged: importing.Staged) -> str:
    """Return what an import would keep and skip, before anything is stored."""
    report = staged.report
    skipped = [f"{n:,} skipped: {why} (first: {where})" for why, (n, where) in report.skipped.items()]
    remarks = [f"{n:,}: {what} (first: {where})" for what, (n, where) in report.remarks.items()]
    lines = (skipped or ["No row was skipped."]) + remarks
    more = [f"and {len(lines) - REASONS:,} more reasons"] if len(lines) > REASONS else []
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines[:REASONS] + more)
    return (
        f'<section class="card"><p class="verdict">{report.comparisons:,} comparisons and {report.votes:,} judgements'
        f"<span>in {report.rows:,} rows of {html.escape(staged.source)}, read as: {html.escape(staged.layout)}</span></p>"
        f"<ul>{items}</ul><p>Nothing is stored yet.</p></section>"
    )


def build(store: Store, settings: Settings, dataset: Choices, last_dataset: gr.BrowserState) -> None:
    # Layout
    with gr.Accordion("Add comparisons", open=False, elem_id="add"):
        with gr.Row():
            with gr.Column(min_width=300):
                file = gr.File(
                    label="A file: JSONL, JSON, CSV, TSV or Parquet, also .gz", height=150, elem_id="import-file"
                )
            with gr.Column(min_width=300):
                hub_id = gr.Textbox(
                    label="Or a dataset on the Hugging Face Hub"
                    + (", or a file on this machine" if settings.local else ""),
                    value=OFFERED,
                    elem_id="hub-id",
                )
                with gr.Row():
                    hub_split = gr.Textbox(label="Split", value="train", min_width=100)
                    hub_config = gr.Textbox(label="Configuration", placeholder="none", min_width=100)
                read_hub = gr.Button("Read it", scale=0)
        with gr.Group(visible=False) as mapping_form:
            gr.Markdown(
                "The columns have names we do not know. Say what they mean, then read the file again.", padding=True
            )
            mapping = gr.Dataframe(
                headers=["Column of the file", "Meaning"], datatype="str", type="array", interactive=True,
                static_columns=[0], label=f"Meanings: {', '.join(MEANINGS)}; empty leaves it as it is",
            )  # fmt: skip
            read_again = gr.Button("Read with these meanings", scale=0)
        report = gr.HTML(visible=False, elem_id="import-report")
        with gr.Row(visible=False, elem_classes="actions") as decision:
            name = gr.Textbox(label="Name of the new dataset", scale=2)
            keep = gr.Button("Keep it", variant="primary", scale=0)
            drop = gr.Button("Do not keep it", scale=0)
    with gr.Row(elem_classes="filters"):
        search = gr.Textbox(label="Search", placeholder="Words in prompt or responses", elem_id="search", min_width=180)
        category = Choices([("Any category", "")], value="", label="Category", min_width=140)
        judgement = gr.Dropdown(JUDGEMENTS, value="", label="Judgement", min_width=140)
        sort = gr.Dropdown(SORTS, value="imported", label="Order", min_width=140)
    table = gr.Dataframe(
        headers=HEADERS, datatype="str", interactive=False, elem_id="comparisons", show_label=False, max_height=420,
        column_widths=["310px", "255px", "255px", "170px", "120px"], buttons=[],
    )  # fmt: skip
    with gr.Row(elem_classes="actions pager"):
        backward = gr.Button("‹ Previous", scale=0, elem_id="previous-page")
        place = gr.HTML(elem_id="place")
        forward = gr.Button("Next ›", scale=0, elem_id="next-page")
    mode = gr.Radio([RENDERED, PLAIN], value=RENDERED, show_label=False, container=False, elem_classes="mode")
    reading = gr.HTML(NO_ROW, elem_id="reading")
    with gr.Accordion("Statistics", open=True):
        pictures = gr.HTML(elem_id="statistics")
    with gr.Accordion("Remove this dataset", open=False):
        gr.Markdown("It is moved to the folder `trash` in the data directory, with its judgements. Nothing is deleted.")
        remove = gr.Button("Remove", variant="stop", scale=0)

    shown = gr.State([])  # the Listed of the page, in the table's order
    number = gr.State(1)
    selected = gr.State("")
    staged = gr.State(None)
    source = gr.State(None)
    filters = [dataset, search, category, judgement, sort]
    pageful = [table, shown, number, place, backward, forward]

    # Handlers
    def show_page(dataset: str | None, query: Query, number: int, **place: Any) -> tuple:
        if not dataset:
            return [], [], 1, empty("No dataset", "Add comparisons above."), gr.Button(), gr.Button()
        rows = comparisons.page(store, dataset, query, ROWS, **place)
        total = comparisons.count(store, dataset, query)
        first = (number - 1) * ROWS + 1
        text = f"{first:,}–{first + len(rows) - 1:,} of {total:,} comparisons" if rows else "0 comparisons"
        back, ahead = gr.Button(interactive=number > 1), gr.Button(interactive=number * ROWS < total)
        return [table_row(each) for each in rows], rows, number, f"<p>{text}</p>", back, ahead

    @shows_errors
    def first_page(dataset: str | None, *query: Any) -> tuple:
        return show_page(dataset, query_of(*query), 1)

    @shows_errors
    def next_page(shown: list[Listed], number: int, dataset: str, *query: Any) -> tuple:
        return (
            show_page(dataset, query_of(*query), number + 1, after=shown[-1].key)
            if shown
            else first_page(dataset, *query)
        )

    @shows_errors
    def previous_page(shown: list[Listed], number: int, dataset: str, *query: Any) -> tuple:
        if not shown or number <= 2:
            return first_page(dataset, *query)
        return show_page(dataset, query_of(*query), number - 1, before=shown[0].key)

    @shows_errors
    def new_dataset(dataset: str) -> tuple:
        if not dataset:
            return Choices([("Any category", "")], value=""), "", NO_ROW, ""
        found = comparisons.statistics(store, dataset)
        choices = [("Any category", ""), *((name, name) for name in list(found.categories)[:CATEGORIES] if name)]
        return Choices(choices, value=""), statistics_html(found), NO_ROW, ""

    @shows_errors
    def select(shown: list[Listed], dataset: str, mode: str, event: gr.SelectData) -> tuple[str, str]:
        row = event.index[0]
        if row >= len(shown):
            return NO_ROW, ""
        found = comparisons.get(store, dataset, shown[row].comparison.id)
        return detail(found, mode), found.comparison.id

    @shows_errors
    def reread(dataset: str, selected: str, mode: str) -> str:
        return detail(comparisons.get(store, dataset, selected), mode) if selected else NO_ROW

    def read_source(
        source: Any, columns: dict[str, str], profile: gr.OAuthProfile | None, progress: gr.Progress
    ) -> tuple:
        may_write(settings, profile)
        if source is None:
            raise BadInput("Choose a file first.")
        try:
            staged = importing.stage(store, source, columns, lambda rows: progress(None, desc=f"{rows:,} rows read"))
        except importing.UnknownLayout as error:
            gr.Warning(html.escape(str(error), quote=False), duration=None)
            rows = [[column, column if column in MEANINGS else ""] for column in error.columns]
            return (source, None, gr.Group(visible=True), rows, gr.HTML(visible=False), gr.Row(visible=False), "")
        report = gr.HTML(preview(staged), visible=True)
        return source, staged, gr.Group(visible=False), [], report, gr.Row(visible=True), staged.suggested_name

    @shows_errors
    def read_file(file: str | None, profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()) -> tuple:  # noqa: B008
        return read_source(Path(file) if file else None, {}, profile, progress)

    @shows_errors
    def read_from_hub(
        identity: str, split: str, config: str, profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()  # noqa: B008
    ) -> tuple:  # fmt: skip
        if settings.local and Path(identity.strip()).is_file():
            return read_source(Path(identity.strip()), {}, profile, progress)
        progress(None, desc="Asking the Hub")
        wanted = HubSource(identity.strip(), config.strip() or None, split.strip() or "train")
        return read_source(wanted, {}, profile, progress)

    @shows_errors
    def read_mapped(
        source: Any, rows: list[list[str]], profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()  # noqa: B008
    ) -> tuple:  # fmt: skip
        columns = {row[0]: row[1].strip() for row in rows if row[1] and row[1].strip()}
        return read_source(source, columns, profile, progress)

    @shows_errors
    def keep_staged(staged: Any, name: str, profile: gr.OAuthProfile | None) -> tuple:
        may_write(settings, profile)
        if staged is None:
            raise BadInput("Read a file or a Hub dataset first.")
        kept = importing.keep(store, staged, name.strip())
        done(f"{kept.comparisons:,} comparisons are stored as '{kept.name}'.")
        names = [each.name for each in comparisons.datasets(store)]
        return (Choices(names, value=kept.name), kept.name, *forget())

    @shows_errors
    def drop_staged(staged: Any) -> tuple:
        if staged is not None:
            importing.discard(staged)
        return forget()

    def forget() -> tuple:
        return None, None, gr.HTML(visible=False), gr.Row(visible=False), gr.Group(visible=False)

    @shows_errors
    def remove_dataset(dataset: str, profile: gr.OAuthProfile | None) -> gr.Dropdown:
        may_write(settings, profile)
        comparisons.remove(store, dataset)
        names = [each.name for each in comparisons.datasets(store)]
        done(f"'{dataset}' is in the trash.")
        return Choices(names, value=names[0] if names else None)

    # Wiring
    came = [source, staged, mapping_form, mapping, report, decision, name]
    gone = [staged, file, report, decision, mapping_form]
    file.upload(read_file, file, came, api_name="read_file", **HIDDEN)
    read_hub.click(read_from_hub, [hub_id, hub_split, hub_config], came, api_name="read_hub", **HIDDEN)
    read_again.click(read_mapped, [source, mapping], came, api_name="read_mapped", **HIDDEN)
    keep.click(keep_staged, [staged, name], [dataset, last_dataset, *gone], api_name="keep", **HIDDEN)
    drop.click(drop_staged, staged, gone, api_name="drop", **HIDDEN)
    remove.click(remove_dataset, dataset, dataset, api_name="remove", **HIDDEN)
    gr.on(
        [search.submit, category.input, judgement.input, sort.input], first_page, filters, pageful,
        api_name="first_page", show_progress="hidden", **HIDDEN,
    )  # fmt: skip
    search.change(
        first_page, filters, pageful, api_name="search", trigger_mode="always_last", show_progress="hidden", **HIDDEN
    )
    dataset.change(
        new_dataset, dataset, [category, pictures, reading, selected], api_name="new_dataset", **HIDDEN
    ).then(first_page, filters, pageful, api_name="first_page_of_dataset", **HIDDEN)
    forward.click(next_page, [shown, number, *filters], pageful, api_name="next_page", show_progress="hidden", **HIDDEN)
    backward.click(
        previous_page, [shown, number, *filters], pageful, api_name="previous_page", show_progress="hidden", **HIDDEN
    )
    table.select(select, [shown, dataset, mode], [reading, selected], api_name="select", **QUIET)
    mode.input(reread, [dataset, selected, mode], reading, api_name="reread", **QUIET)
