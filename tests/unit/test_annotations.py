"""Judgements are written, taken back and counted; who judges next sees what is left, on sides of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rlhf_app import annotation_log
from rlhf_app.annotation.annotations import (
    annotate,
    annotations,
    annotator_name,
    done,
    guidelines,
    set_guidelines,
    undo,
)
from rlhf_app.annotation.queue import as_shown, as_stored, flipped, next_comparison
from rlhf_app.data.comparisons import Query, get, page
from rlhf_app.errors import BadInput, NotFound
from rlhf_app.records import CHOICES, Annotation
from rlhf_app.store import Store


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "prompt": f"Prompt {name}", "response_a": "left", "response_b": "right", **more}


@pytest.fixture
def five(imported: Callable[..., Store]) -> Store:
    """A store with five comparisons, 1 to 5, in the dataset `mine`."""
    return imported([row(name) for name in "12345"])


def verdict(store: Store, comparison_id: str = "1") -> str | None:
    return get(store, "mine", comparison_id).verdict


def judged(store: Store) -> list[tuple[str, str, str]]:
    return [(each.comparison_id, each.annotator, each.choice) for each in annotations(store, "mine")]


def next_id(store: Store, annotator: str) -> str | None:
    listed = next_comparison(store, "mine", annotator)
    return listed.comparison.id if listed else None


@pytest.mark.parametrize("choice", CHOICES)
def test_a_judgement_is_written_with_who_and_what(five: Store, choice: Any) -> None:
    made = annotate(five, "mine", "2", "  Ann   Lee ", choice, note="close call")
    assert (made.annotator, made.choice, made.note, made.source) == ("Ann Lee", choice, "close call", "app")
    assert annotations(Store(five.home), "mine") == [made]
    assert verdict(five, "2") == choice


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"choice": "c"}, "'c' is no choice; it is one of a, b, tie, skip"),
        ({"annotator": "  "}, "Write your name first"),
        ({"annotator": "x" * 81}, "longer than 80 characters"),
        ({"note": "x" * 4001}, "longer than 4,000 characters"),
    ],
)
def test_a_judgement_that_cannot_be_used_is_refused(five: Store, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        annotate(five, "mine", "1", **{"annotator": "Ann", "choice": "a", **change})
    assert annotations(five, "mine") == []


def test_what_is_not_there_cannot_be_judged(five: Store) -> None:
    with pytest.raises(NotFound, match="no comparison '9'"):
        annotate(five, "mine", "9", "Ann", "a")
    with pytest.raises(NotFound, match="no dataset 'other'"):
        annotate(five, "other", "1", "Ann", "a")
    with pytest.raises(NotFound):
        annotations(five, "other")


def test_a_name_is_needed_and_kept_tidy() -> None:
    assert annotator_name(" 王 小明\n") == "王 小明"
    with pytest.raises(BadInput):
        annotator_name("\t")


def test_the_newest_judgement_of_an_annotator_counts(five: Store) -> None:
    annotate(five, "mine", "1", "Ann", "a")
    annotate(five, "mine", "1", "Bo", "a")
    annotate(five, "mine", "1", "Ann", "tie")
    assert judged(five) == [("1", "Bo", "a"), ("1", "Ann", "tie")]


def test_undo_restores_the_judgement_before(five: Store) -> None:
    annotate(five, "mine", "1", "Ann", "a")
    annotate(five, "mine", "1", "Ann", "b")
    assert undo(five, "mine", " Ann ").choice == "b"
    assert (judged(five), verdict(five)) == ([("1", "Ann", "a")], "a")
    undo(five, "mine", "Ann")
    assert (judged(five), verdict(five)) == ([], None)


def test_undo_goes_back_through_ones_own_judgements_only(five: Store) -> None:
    for name, annotator in (("1", "Ann"), ("2", "Ann"), ("3", "Bo")):
        annotate(five, "mine", name, annotator, "b")
    assert [undo(five, "mine", "Ann").comparison_id for _ in range(2)] == ["2", "1"]
    with pytest.raises(BadInput, match="nothing to undo"):
        undo(five, "mine", "Ann")
    assert judged(five) == [("3", "Bo", "b")]


def test_an_imported_judgement_cannot_be_undone(imported: Callable[..., Store]) -> None:
    store = imported([row("1", judgement="a", annotator="Ann")])
    annotate(store, "mine", "1", "Ann", "b")
    assert undo(store, "mine", "Ann").choice == "b"
    assert verdict(store) == "a"
    with pytest.raises(BadInput):
        undo(store, "mine", "Ann")


def test_nothing_is_ever_deleted_from_the_log(five: Store) -> None:
    annotate(five, "mine", "1", "Ann", "a")
    undo(five, "mine", "Ann")
    with five.annotations() as log:
        kept = log.execute("SELECT choice, undone FROM annotations").fetchall()
    assert [tuple(each) for each in kept] == [("a", 1)]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["a"], "a"),
        (["b", "b", "a"], "b"),
        (["tie", "tie", "b"], "tie"),
        (["a", "b"], "undecided"),
        (["a", "tie"], "undecided"),
        (["a", "b", "tie"], "undecided"),
        (["a", "a", "b", "b", "tie"], "undecided"),
        (["skip"], "skip"),
        (["skip", "skip", "a"], "a"),
        ([], None),
    ],
)
def test_the_verdict_is_what_most_chose(imported: Callable[..., Store], votes: list[str], expected: str | None) -> None:
    said = [{"annotator": str(number), "choice": vote} for number, vote in enumerate(votes)]
    store = imported([row("1", votes=said), row("2")])
    assert (verdict(store), verdict(store, "2")) == (expected, None)


def test_verdicts_follow_the_log_one_by_one_and_at_once(five: Store) -> None:
    with five.annotations() as log:
        votes = [Annotation(name, annotator, "b") for name in "12" for annotator in ("Ann", "Bo")]
        assert annotation_log.append(log, "mine", votes) == 4
    annotate(five, "mine", "1", "Ann", "a")
    before = [verdict(five, name) for name in "123"]
    with five.annotations() as log:
        annotation_log.refresh(log, "mine")
    assert before == [verdict(five, name) for name in "123"] == ["undecided", "b", None]


def test_datasets_do_not_share_judgements(imported: Callable[..., Store]) -> None:
    store = imported([row("1")])
    imported([row("1")], "other")
    annotate(store, "mine", "1", "Ann", "a")
    assert (annotations(store, "other"), get(store, "other", "1").verdict) == ([], None)


def test_next_comes_what_nobody_judged_then_what_others_did(five: Store) -> None:
    annotate(five, "mine", "1", "Bo", "a")
    annotate(five, "mine", "3", "Bo", "skip")
    seen = []
    while name := next_id(five, "Ann"):
        seen.append(name)
        annotate(five, "mine", name, "Ann", "b")
    assert seen == ["2", "4", "5", "1", "3"]


def test_what_is_undone_comes_again(five: Store) -> None:
    annotate(five, "mine", "1", "Ann", "a")
    assert next_id(five, "Ann") == "2"
    undo(five, "mine", "Ann")
    assert next_id(five, "Ann") == "1"


def test_progress_counts_mine_and_anyones(five: Store) -> None:
    for name, annotator in (("1", "Ann"), ("1", "Ann"), ("1", "Bo"), ("2", "Bo")):
        annotate(five, "mine", name, annotator, "skip")
    progress = done(five, "mine", "Ann")
    assert (progress.mine, progress.anyone, progress.total) == (1, 2, 5)


def test_sides_are_shuffled_for_each_annotator_and_stay_so(five: Store) -> None:
    tosses = [flipped(f"person {n}", str(name)) for n in range(20) for name in range(20)]
    assert 160 < sum(tosses) < 240
    assert tosses == [flipped(f"person {n}", str(name)) for n in range(20) for name in range(20)]
    assert len({tuple(tosses[start : start + 20]) for start in range(0, 400, 20)}) > 15


@pytest.mark.parametrize("annotator", [f"person {n}" for n in range(6)])
def test_a_click_is_stored_for_the_response_that_was_clicked(five: Store, annotator: str) -> None:
    comparison = get(five, "mine", "1").comparison
    clicked = as_shown(comparison, annotator)[0]
    made = annotate(five, "mine", "1", annotator, as_stored("a", annotator, "1"))
    assert getattr(comparison, f"response_{made.choice}") == clicked
    assert (as_stored("tie", annotator, "1"), as_stored("skip", annotator, "1")) == ("tie", "skip")
    assert get(five, "mine", "1").comparison == comparison


def test_two_who_judge_at_once_lose_nothing(imported: Callable[..., Store]) -> None:
    store = imported([row(str(number)) for number in range(40)])
    start = threading.Barrier(2)

    def judge(annotator: str) -> None:
        start.wait()
        for listed in page(store, "mine", Query()):
            annotate(store, "mine", listed.comparison.id, annotator, "a")

    with ThreadPoolExecutor() as people:
        list(people.map(judge, ["Ann", "Bo"]))
    assert sorted(judged(store)) == sorted((str(n), who, "a") for n in range(40) for who in ("Ann", "Bo"))
    assert page(store, "mine", Query(judgement="a"), limit=-1) == page(store, "mine", Query(), limit=-1)


def test_guidelines_are_the_datasets_own(five: Store) -> None:
    assert guidelines(five, "mine", "the usual") == "the usual"
    set_guidelines(five, "mine", "# Prefer the shorter 短")
    assert guidelines(five, "mine", "the usual") == "# Prefer the shorter 短"
    with pytest.raises(BadInput, match="longer than 20,000"):
        set_guidelines(five, "mine", "x" * 20_001)
