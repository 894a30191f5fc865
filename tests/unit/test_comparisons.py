"""Comparisons are paged, searched, filtered, counted, handed to pandas, and removed without loss."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, get_args

import pytest

from rlhf_app.annotation.annotations import annotate, annotations
from rlhf_app.data.comparisons import Query, Sort, count, datasets, get, page, remove, statistics, to_pandas
from rlhf_app.errors import BadInput, NotFound
from rlhf_app.store import Store


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "prompt": f"Prompt {name}", "response_a": "left", "response_b": "right", **more}


def many(number: int = 53) -> list[dict[str, Any]]:
    """Rows of which several share a length and a category."""
    return [row(f"{n:03}", response_a="x" * (n % 7 + 1), category=["law", "art", ""][n % 3]) for n in range(number)]


def ids(store: Store, **query: Any) -> list[str]:
    return [each.comparison.id for each in page(store, "mine", Query(**query), limit=-1)]


@pytest.mark.parametrize("sort", get_args(Sort))
def test_paging_forwards_and_backwards_loses_nothing(imported: Callable[..., Store], sort: Sort) -> None:
    store, query = imported(many()), Query(sort=sort)
    everything = page(store, "mine", query, limit=-1)
    pages = [page(store, "mine", query, limit=10)]
    while listed := page(store, "mine", query, limit=10, after=pages[-1][-1].key):
        pages.append(listed)
    assert [each for listed in pages for each in listed] == everything
    assert len({each.comparison.id for each in everything}) == 53
    for earlier, later in pairwise(pages):
        assert page(store, "mine", query, limit=10, before=later[0].key) == earlier
    assert page(store, "mine", query, limit=10, before=everything[0].key) == []


def test_the_orders_are_what_their_names_say(imported: Callable[..., Store]) -> None:
    store = imported(
        [row("1", category="b"), row("2", response_a="longer left", category="a"), row("3", response_a="l")]
    )
    assert {sort: "".join(ids(store, sort=sort)) for sort in get_args(Sort)} == {
        "imported": "123",
        "newest": "321",
        "longest": "213",
        "shortest": "312",
        "category": "321",
    }


def test_an_unknown_order_is_refused(imported: Callable[..., Store]) -> None:
    with pytest.raises(BadInput, match="Sort by one of imported, newest"):
        ids(imported([row("1")]), sort="random")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("quick fox", "1"),
        ("QUICK", "1"),
        ("ick fo", "1"),
        ('says "hello"', "2"),
        ('o" t', "2"),
        ("it's", "2"),
        ("量子", "3"),
        ("量子計算機", "3"),
        ("子", "3"),
        ("ox", "14"),
        ("OX", "14"),
        ("fox OR dog", ""),
        ("fox AND quick", ""),
        ("NOT fox", ""),
        ("qui*", ""),
        ("prompt:", ""),
        ("NEAR(fox", "4"),
        ("100%", "4"),
        ("a_b", "4"),
        ('"', "2"),
        ("(", "4"),
        ("   ", "1234"),
        ('"""', ""),
    ],
)
def test_search_takes_the_text_as_it_is(imported: Callable[..., Store], text: str, found: str) -> None:
    rows = [
        row("1", prompt="The quick fox"),
        row("2", response_a='He says "hello" to all', response_b="it's fine"),
        row("3", prompt="什麼是量子計算機？"),
        row("4", response_b="Use NEAR(fox) or a_b, 100% sure"),
    ]
    assert "".join(ids(imported(rows), search=text)) == found


@pytest.mark.parametrize("text", ["quick\0", "\0", "\ud83d", "quick \ud83d"])
def test_a_search_for_broken_text_is_no_error(imported: Callable[..., Store], text: str) -> None:
    assert len(ids(imported([row("1", prompt="The quick fox")]), search=text)) <= 1


@pytest.mark.parametrize("text", ["ro", "\\n", '{"', "[", "us"])
def test_a_short_search_does_not_find_how_a_prompt_is_stored(imported: Callable[..., Store], text: str) -> None:
    store = imported([row("1", prompt=[{"role": "user", "content": "Hi"}]), row("2", prompt="one\ntwo")])
    assert ids(store, search=text) == []


def test_a_short_search_finds_a_quotation_mark_in_a_prompt(imported: Callable[..., Store]) -> None:
    assert ids(imported([row("1", prompt='Who said "no"?')]), search='o"') == ["1"]


def test_search_reads_the_messages_of_a_prompt(imported: Callable[..., Store]) -> None:
    store = imported([row("1", prompt=[{"role": "user", "content": "Tell me of 量子 and foxes"}])])
    assert (ids(store, search="foxes"), ids(store, search="量子"), ids(store, search="role")) == (["1"], ["1"], [])


def test_filters_narrow_each_other(imported: Callable[..., Store]) -> None:
    store = imported([row("1", category="law"), row("2", category="law"), row("3", category="art")])
    annotate(store, "mine", "1", "Ann", "b")
    annotate(store, "mine", "3", "Ann", "skip")
    assert ids(store, category="law") == ["1", "2"]
    assert (ids(store, judgement="judged"), ids(store, judgement="unjudged")) == (["1", "3"], ["2"])
    assert (ids(store, judgement="b"), ids(store, judgement="skip"), ids(store, judgement="a")) == (["1"], ["3"], [])
    assert ids(store, category="law", judgement="unjudged", search="Prompt 2") == ["2"]
    assert ids(store, category="law", judgement="skip") == []


def test_the_count_is_that_of_the_pages(imported: Callable[..., Store]) -> None:
    store = imported(many())
    for query in (Query(), Query(search="Prompt 01"), Query(category="art"), Query(judgement="judged")):
        assert count(store, "mine", query) == len(page(store, "mine", query, limit=-1))


def test_statistics_count_verdicts_categories_and_lengths(imported: Callable[..., Store]) -> None:
    store = imported([row("1", topic="law"), row("2", topic="law"), row("3", subset="art", response_a="x")])
    annotate(store, "mine", "2", "Ann", "tie")
    shown = statistics(store, "mine")
    assert (shown.comparisons, shown.verdicts) == (3, {"unjudged": 2, "tie": 1})
    assert (shown.categories, shown.lengths) == ({"law": 2, "art": 1}, [(4, 5), (4, 5), (1, 5)])


def test_one_comparison_is_got_by_its_id(imported: Callable[..., Store]) -> None:
    store = imported([row("1", source="web"), row("2")])
    assert get(store, "mine", "1").comparison.metadata == {"source": "web"}
    with pytest.raises(NotFound, match="'mine' has no comparison '3'"):
        get(store, "mine", "3")


def test_pandas_gets_what_the_query_finds(imported: Callable[..., Store]) -> None:
    store = imported([row("1", category="law", year=1999), row("2")])
    annotate(store, "mine", "1", "Ann", "a")
    table = to_pandas(store, "mine", Query(sort="newest"))
    assert list(table.columns[:6]) == ["id", "prompt", "response_a", "response_b", "category", "verdict"]
    assert list(table["id"]) == ["2", "1"]
    assert table.set_index("id").loc["1", ["verdict", "metadata.year"]].tolist() == ["a", 1999]


def test_pandas_gets_the_columns_even_of_nothing(imported: Callable[..., Store]) -> None:
    table = to_pandas(imported([row("1")]), "mine", Query(search="not there"))
    assert (len(table), list(table.columns[:2])) == (0, ["id", "prompt"])


def test_datasets_are_listed_oldest_first(imported: Callable[..., Store]) -> None:
    for name in ("zebra", "ant", "mole"):
        store = imported([row("1")], name)
    assert [dataset.name for dataset in datasets(store)] == ["zebra", "ant", "mole"]


def test_what_is_removed_lies_in_the_trash_with_its_judgements(imported: Callable[..., Store]) -> None:
    store = imported([row("1", judgement="a")])
    annotate(store, "mine", "1", "Ann", "b")
    remove(store, "mine")
    assert datasets(store) == []
    [folder] = store.trash.iterdir()
    assert (folder / "comparisons.db").exists()
    with store.annotations() as log:
        moved = log.execute("SELECT DISTINCT dataset, count(*) FROM annotations").fetchall()
    assert [tuple(each) for each in moved] == [(f"trash/{folder.name}", 2)]


def test_a_new_dataset_of_a_removed_name_starts_unjudged(imported: Callable[..., Store]) -> None:
    store = imported([row("1", judgement="a")])
    remove(store, "mine")
    imported([row("1")])
    assert (annotations(store, "mine"), ids(store, judgement="unjudged")) == ([], ["1"])
    with pytest.raises(NotFound, match="There is no dataset 'gone'"):
        remove(store, "gone")
