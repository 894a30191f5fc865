"""An import is read, shown and then kept or not; whatever is left aside is counted with its reason."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlhf_app.annotation.annotations import annotations
from rlhf_app.data.comparisons import Query, datasets, everything, get, page
from rlhf_app.data.importing import UnknownLayout, discard, free_name, keep, stage, sweep
from rlhf_app.errors import BadInput, Busy, NotFound
from rlhf_app.records import Comparison
from rlhf_app.store import Store

GOOD = {"prompt": "Why?", "response_a": "because", "response_b": "no reason"}


def comparisons(store: Store, name: str = "mine") -> list[Comparison]:
    return [comparison for comparison, _ in everything(store, name)]


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write text as a file and return its path."""

    def write(content: str | bytes, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_an_import_is_no_dataset_until_it_is_kept(store: Store, jsonl: Callable[..., Path]) -> None:
    staged = stage(store, jsonl([{**GOOD, "judgement": "b"}], "my prefs.v2.jsonl"))
    assert datasets(store) == []
    assert (staged.layout, staged.source, staged.suggested_name) == ("Comparison", "my prefs.v2.jsonl", "my-prefs")
    kept = keep(store, staged, "mine", "for a test")
    assert datasets(store) == [kept]
    assert (kept.name, kept.comparisons, kept.description, kept.source) == (
        "mine",
        1,
        "for a test",
        "my prefs.v2.jsonl",
    )


def test_a_discarded_import_leaves_nothing(store: Store, jsonl: Callable[..., Path]) -> None:
    staged = stage(store, jsonl([GOOD]))
    discard(staged)
    assert list(store.datasets.iterdir()) == []
    with pytest.raises(BadInput, match="no longer there"):
        keep(store, staged, "mine")


def test_staged_imports_are_swept_when_old(store: Store, jsonl: Callable[..., Path]) -> None:
    fresh = stage(store, jsonl([GOOD])).folder
    old = fresh.rename(store.datasets / ".staged-1000-abcd")
    fresh = stage(store, jsonl([GOOD])).folder
    sweep(store)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_judgements_of_a_file_come_with_it(imported: Callable[..., Store]) -> None:
    votes = [{"annotator": "Ann", "choice": "a"}, {"annotator": "Bo", "choice": "b"}]
    store = imported([{**GOOD, "id": "1", "votes": votes}])
    made = [(each.comparison_id, each.annotator, each.choice, each.source) for each in annotations(store, "mine")]
    assert made == [("1", "Ann", "a", "import"), ("1", "Bo", "b", "import")]
    assert get(store, "mine", "1").verdict == "undecided"


def test_rows_that_contradict_each_other_are_two_votes_on_one_comparison(imported: Callable[..., Store]) -> None:
    rows = [{"prompt": "Why?", "chosen": "x", "rejected": "y"}, {"prompt": "Why?", "chosen": "y", "rejected": "x"}]
    store = imported(rows)
    assert len(comparisons(store)) == 1
    assert sorted(each.choice for each in annotations(store, "mine")) == ["a", "b"]
    assert page(store, "mine", Query())[0].verdict == "undecided"


def test_a_repeated_row_is_not_doubled_but_its_vote_counts(store: Store, jsonl: Callable[..., Path]) -> None:
    staged = stage(store, jsonl([{**GOOD, "judgement": "a"}] * 3))
    assert (staged.report.rows, staged.report.comparisons, staged.report.votes) == (3, 1, 3)
    [(remark, (count, where))] = staged.report.remarks.items()
    assert (remark.split(":")[0], count, where) == ("repeats an earlier comparison", 2, "line 2")
    keep(store, staged, "mine")
    assert [each.annotator for each in annotations(store, "mine")] == ["imported", "imported (2)", "imported (3)"]


def test_an_id_that_is_taken_gets_longer(imported: Callable[..., Store]) -> None:
    first, second = comparisons(imported([{**GOOD, "id": "1"}, {**GOOD, "id": "1", "prompt": "How?"}]))
    assert (first.id, first.prompt, second.prompt) == ("1", "Why?", "How?")
    assert second.id.startswith("1-")


def test_the_chosen_response_stands_on_either_side(imported: Callable[..., Store]) -> None:
    rows = [{"prompt": f"Question {n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(400)]
    store = imported(rows)
    choices = [each.choice for each in annotations(store, "mine")]
    assert 160 < choices.count("a") < 240
    for judged, comparison in zip(annotations(store, "mine"), comparisons(store), strict=True):
        assert getattr(comparison, f"response_{judged.choice}").startswith("good")


def test_columns_are_mapped_whatever_their_case(store: Store, jsonl: Callable[..., Path]) -> None:
    path = jsonl([{"Frage": "Why?", "Best": "because", "worst": "no reason", "prompt": "an old one", "topic": "sky"}])
    staged = stage(store, path, {"frage": "Prompt", "BEST": "chosen", "worst": "rejected"})
    assert keep(store, staged, "mine").split_column == "topic"
    [comparison] = comparisons(store)
    assert (comparison.prompt, comparison.metadata) == ("Why?", {"topic": "sky"})


def test_columns_may_change_places(store: Store, jsonl: Callable[..., Path]) -> None:
    keep(store, stage(store, jsonl([GOOD]), {"response_a": "response_b", "response_b": "response_a"}), "mine")
    [comparison] = comparisons(store)
    assert (comparison.response_a, comparison.response_b) == ("no reason", "because")


def test_unknown_columns_are_listed_as_the_file_has_them(store: Store, jsonl: Callable[..., Path]) -> None:
    path = jsonl([{"question": "Why?", "best": "because"}, {"worst": "no reason"}])
    with pytest.raises(UnknownLayout, match=r"rows\.jsonl has the columns question, best, worst") as caught:
        stage(store, path)
    assert caught.value.columns == ["question", "best", "worst"]
    with pytest.raises(UnknownLayout) as caught:
        stage(store, path, {"best": "chosen"})
    assert caught.value.columns == ["question", "best", "worst"]
    assert list(store.datasets.iterdir()) == []


def test_a_half_written_line_is_skipped_and_counted(store: Store, put: Callable[..., Path]) -> None:
    line = '{"prompt": "Why?", "response_a": "because", "response_b": "no reason"}\n'
    report = stage(store, put(line + line[:30])).report
    assert (report.rows, report.comparisons, report.rows_skipped) == (2, 1, 1)
    assert report.skipped == {"not valid JSON; is the line cut off?": (1, "line 2")}


def test_rows_that_cannot_be_used_are_counted_by_their_reason(store: Store, jsonl: Callable[..., Path]) -> None:
    same = {**GOOD, "response_b": "because"}
    report = stage(store, jsonl([GOOD, same, {**GOOD, "prompt": ""}, same])).report
    assert report.skipped == {
        "the two responses are the same text": (2, "line 2"),
        "the prompt is empty": (1, "line 3"),
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty. Nothing was imported"),
        ("\n\n", "has no rows. Nothing was imported"),
        ("{half\n", "cannot be read: line 1: not valid JSON"),
        (
            '{"prompt": "Why?", "response_a": "x", "response_b": "x"}',
            "no row that can be used. 1 of 1: the two responses",
        ),
        ("x" * 50_000_000, "cannot be read: line 1: longer than 10 MB"),
        (b'{"prompt": "W\xf6rum?"}', "is not UTF-8 text"),
        (gzip.compress(b"{}")[:-5], "is not a whole gzip file"),
    ],
    ids=["empty", "blank", "half", "identical", "one long line", "latin-1", "broken gzip"],
)
def test_a_file_without_a_row_to_use_leaves_nothing_behind(
    store: Store, put: Callable[..., Path], content: str | bytes, sentence: str
) -> None:
    with pytest.raises(BadInput) as caught:
        stage(store, put(content))
    assert sentence in str(caught.value)
    assert list(store.datasets.iterdir()) == []


def test_a_bad_byte_far_down_leaves_nothing_behind(store: Store, put: Callable[..., Path]) -> None:
    lines = b"".join(b'{"prompt": "%d", "chosen": "x", "rejected": "y"}\n' % n for n in range(500))
    with pytest.raises(BadInput, match="is not UTF-8"):
        stage(store, put(lines + b'{"prompt": "W\xf6rum?"}\n'))
    assert list(store.datasets.iterdir()) == []


@pytest.mark.parametrize(
    "extra",
    [
        '"note": "\\ud83d"',
        '"id": "\\ud83d"',
        '"annotator": "\\ud83d", "judgement": "a"',
        f'"deep": {"[" * 700}{"]" * 700}',
        '"prompt": [{"role": "\\ud83d", "content": "Hi"}]',
    ],
    ids=["metadata", "id", "annotator", "deep", "role"],
)
def test_one_odd_row_does_not_end_the_import(store: Store, put: Callable[..., Path], extra: str) -> None:
    lines = [json.dumps({**GOOD, "response_b": number}) for number in "012"]
    lines[1] = lines[1].replace("}", f", {extra}}}")
    report = stage(store, put("\n".join(lines))).report
    assert (report.rows, report.comparisons + report.rows_skipped) == (3, 3)
    assert report.comparisons >= 2


def test_responses_that_are_json_stay_text_in_a_table(store: Store, put: Callable[..., Path]) -> None:
    path = put('prompt,response_a,response_b\nList two numbers as JSON,"[1, 2]","{""1"": 2}"\n', "rows.csv")
    keep(store, stage(store, path), "mine")
    [comparison] = comparisons(store)
    assert (comparison.response_a, comparison.response_b) == ("[1, 2]", '{"1": 2}')


def test_votes_and_answers_in_a_table_are_opened(store: Store, put: Callable[..., Path]) -> None:
    path = put('prompt,response_a,response_b,votes\nWhy?,x,y,"[{""choice"": ""b""}]"\n', "votes.csv")
    keep(store, stage(store, path), "votes")
    names = "instruction,response-1,response-2,choose-best.responses,choose-best.responses.users"
    keep(store, stage(store, put(f'{names}\nWhy?,x,y,"[""response-2""]","[""Ann""]"\n', "answers.csv")), "answers")
    assert [each.choice for name in ("votes", "answers") for each in annotations(store, name)] == ["b", "b"]


def test_a_strength_in_a_table_is_a_number(store: Store, put: Callable[..., Path]) -> None:
    keep(store, stage(store, put("prompt\tchosen\trejected\tmargin\nWhy?\tx\ty\t2.5\n", "rows.tsv")), "mine")
    assert [each.strength for each in annotations(store, "mine")] == [2.5]


@pytest.mark.parametrize("name", ["a/b", "../up", "", ".hidden", "a b", "x" * 65, "naïve", "mine\n"])
def test_a_name_that_cannot_be_a_folder_is_refused(store: Store, jsonl: Callable[..., Path], name: str) -> None:
    with pytest.raises(BadInput, match="cannot be a name"):
        keep(store, stage(store, jsonl([GOOD])), name)
    assert datasets(store) == []


def test_a_name_that_is_taken_is_refused_with_a_free_one(imported: Callable[..., Store], tmp_path: Path) -> None:
    store = imported([GOOD])
    staged = stage(store, tmp_path / "rows.jsonl")
    with pytest.raises(Busy, match=r"There is a dataset 'mine' already\. 'mine-2' is free"):
        keep(store, staged, "mine")
    assert keep(store, staged, "mine-2").comparisons == 1


@pytest.mark.parametrize(
    ("wanted", "free"),
    [("mine", "mine-2"), ("a/b c", "a-b-c"), ("--", "dataset"), ("比較", "dataset"), ("x" * 90, "x" * 56)],
)
def test_a_suggested_name_is_valid_and_free(imported: Callable[..., Store], wanted: str, free: str) -> None:
    assert free_name(imported([GOOD]), wanted) == free


def test_progress_is_told_every_thousand_rows(store: Store, jsonl: Callable[..., Path]) -> None:
    seen: list[int] = []
    stage(store, jsonl([{**GOOD, "id": str(n), "response_b": str(n)} for n in range(2500)]), progress=seen.append)
    assert seen == [1000, 2000]


def test_a_file_that_is_not_there_is_not_found(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        stage(store, tmp_path / "nothing.jsonl")
