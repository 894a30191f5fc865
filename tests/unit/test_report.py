"""An evaluation's report: what is counted, what is not, and the way to its file and back."""

import math
from dataclasses import asdict
from pathlib import Path

import pytest

from rlhf_app.errors import BadInput, NotFound
from rlhf_app.evaluation.report import MISTAKES, Evaluation, assessed, evaluation_of, from_json
from rlhf_app.records import PreferencePair
from rlhf_app.store import Store, read_json, write_json
from rlhf_app.training.config import TrainingConfig


def pair(number: int, target: float = 1.0, category: str = "", chosen: str = "good") -> PreferencePair:
    return PreferencePair(str(number), f"prompt {number}", chosen, "bad", target, "a", category)


def report(pairs: list[PreferencePair], margins: list[float]) -> Evaluation:
    return assessed(pairs, margins, "held-out pairs", 0)


def test_accuracy_is_the_share_of_pairs_whose_chosen_response_has_the_higher_reward() -> None:
    found = report([pair(n) for n in range(5)], [1.0, 2.0, 0.5, -0.1, 0.3])
    assert found.eval_accuracy.value == pytest.approx(0.8)
    assert found.mean_margin == pytest.approx(0.74)
    assert (found.pairs, found.ties) == (5, 0)


def test_a_tie_is_neither_right_nor_wrong_but_counts_in_the_loss() -> None:
    found = report([pair(1), pair(2, target=0.5)], [2.0, -3.0])
    assert (found.pairs, found.ties, found.eval_accuracy.value, found.mistakes) == (1, 1, 1.0, [])
    win, tie = math.log1p(math.exp(-2)), (math.log1p(math.exp(3)) + math.log1p(math.exp(-3))) / 2
    assert found.eval_loss == pytest.approx((win + tie) / 2)


def test_pairs_without_a_winner_cannot_be_evaluated_on() -> None:
    with pytest.raises(BadInput, match="no pair with a winner"):
        report([pair(1, target=0.5)], [0.1])


def test_mistakes_come_worst_first_and_not_all_of_a_thousand() -> None:
    found = report([pair(n) for n in range(1000)], [float(n % 500 - 250) for n in range(1000)])
    assert len(found.mistakes) == MISTAKES
    assert [mistake.margin for mistake in found.mistakes[:3]] == [-250.0, -250.0, -249.0]
    assert found.mistakes[0].prompt == "prompt 0"


def test_a_right_pair_and_an_equal_one_are_no_mistakes() -> None:
    assert report([pair(1), pair(2)], [0.5, 0.0]).mistakes == []


def test_each_category_has_its_own_share_and_baseline() -> None:
    pairs = [pair(1, category="law"), pair(2, category="law", chosen="x"), pair(3), pair(4, category="art")]
    rows = {row.category: row for row in report(pairs, [1.0, -1.0, 1.0, 1.0]).categories}
    assert list(rows) == ["(none)", "art", "law"]
    assert (rows["law"].pairs, rows["law"].eval_accuracy.value, rows["law"].longer_wins) == (2, 0.5, 0.5)


def test_the_gain_over_length_is_told_beside_both() -> None:
    found = report([pair(n, chosen="x" if n % 2 else "longer") for n in range(40)], [1.0] * 40)
    assert (found.eval_accuracy.value, found.longer_wins.value, found.first_side_wins.value) == (1.0, 0.5, 1.0)
    assert found.gain_over_length.value == 0.5
    assert 0.3 < found.gain_over_length.low < 0.5 < found.gain_over_length.high < 0.7


def test_an_evaluation_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    found = report([pair(1, category="law"), pair(2, target=0.5), pair(3)], [1.0, 0.2, -1.0])
    write_json(tmp_path / "evaluation.json", asdict(found))
    assert from_json(read_json(tmp_path / "evaluation.json")) == found


def test_a_run_without_a_model_has_no_evaluation_yet(store: Store) -> None:
    folder = store.runs / "run-1"
    folder.mkdir()
    write_json(folder / "config.json", asdict(TrainingConfig()))
    with pytest.raises(NotFound, match="no model to evaluate yet"):
        evaluation_of(store, "run-1")
    with pytest.raises(NotFound, match="no run 'run-2'"):
        evaluation_of(store, "run-2")
