"""The Data tab: look at the comparisons that are there; `import_form` on top brings more in."""

from typing import Any

import gradio as gr

from ..data import comparisons
from ..data.comparisons import Listed, Query
from ..records import prompt_text
from ..settings import Settings
from ..store import Store
from . import import_form
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


def build(store: Store, settings: Settings, dataset: Choices, last_dataset: gr.BrowserState) -> None:
    # Layout
    import_form.build(store, settings, dataset, last_dataset)
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

    @shows_errors
    def remove_dataset(dataset: str, profile: gr.OAuthProfile | None) -> gr.Dropdown:
        may_write(settings, profile)
        comparisons.remove(store, dataset)
        names = [each.name for each in comparisons.datasets(store)]
        done(f"'{dataset}' is in the trash.")
        return Choices(names, value=names[0] if names else None)

    # Wiring
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
