"""Shares with their intervals, baselines and the loss, against values known from elsewhere."""

import math

import numpy as np
import pytest

from rlhf_app.evaluation.metrics import difference, first_side_wins, longer_wins, loss, right, share
from rlhf_app.records import PreferencePair


def each_alone(count: int) -> list[str]:
    return [f"prompt {number}" for number in range(count)]


def test_a_higher_reward_is_right_an_equal_one_half() -> None:
    assert right([2.0, 0.0, -0.1]).tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("correct", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_pairs_of_their_own_prompts_have_wilsons_interval(correct: int, of: int, low: float, high: float) -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3
    found = share(np.array([1.0] * correct + [0.0] * (of - correct)), each_alone(of))
    assert found.value == pytest.approx(correct / of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.method == f"Wilson, {of} pairs"


def test_pairs_of_a_prompt_that_agree_make_the_interval_wider() -> None:
    correct = np.array([1.0] * 60 + [0.0] * 40)
    naive = share(correct, each_alone(100))
    clustered = share(correct, [f"prompt {number // 10}" for number in range(100)])
    assert clustered.value == naive.value == 0.6
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
    assert clustered.low < 0.6 < clustered.high
    assert clustered.method == "bootstrap over 10 groups"


def test_pairs_of_a_prompt_that_disagree_are_not_told_as_surer_than_pairs_of_their_own() -> None:
    correct = np.array(([1.0] * 4 + [0.0] * 10 + [1.0] * 6) * 5)  # ten prompts, four or six of ten right in each
    clustered = share(correct, [f"prompt {number // 10}" for number in range(100)])
    naive = share(correct, each_alone(100))
    assert (clustered.low, clustered.high) == pytest.approx((naive.low, naive.high))


@pytest.mark.parametrize("prompts", [1, 3])
def test_few_prompts_tell_little_however_many_their_pairs(prompts: int) -> None:
    found = share(np.array([1.0, 1.0, 0.0] * 200), [f"prompt {number % prompts}" for number in range(600)])
    assert found.value == pytest.approx(2 / 3)
    assert found.high - found.low > 0.9


def test_the_same_pairs_have_the_same_interval() -> None:
    correct, groups = np.array([1.0, 0.0, 1.0, 1.0]), ["x", "x", "y", "z"]
    assert share(correct, groups) == share(correct, groups)


@pytest.mark.parametrize("groups", [["x"] * 8, ["x", "y"] * 4, each_alone(8)])
def test_a_handful_of_right_pairs_is_never_told_as_certain(groups: list[str]) -> None:
    found = share(np.ones(8), groups)
    assert found.value == found.high == 1.0
    assert found.low < 0.9


def test_no_pairs_tell_nothing() -> None:
    found = share(np.array([]), [])
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)
    assert math.isnan(difference(np.array([]), np.array([]), []).value)


def test_a_difference_of_the_same_pairs_is_surer_than_two_shares() -> None:
    draw = np.random.default_rng(1)
    other = draw.integers(0, 2, 200).astype(float)
    correct = other.copy()
    correct[np.flatnonzero(other == 0)[:20]] = 1.0
    gain = difference(correct, other, each_alone(200))
    assert gain.value == pytest.approx(0.1)
    assert 0.05 < gain.low < 0.1 < gain.high < 0.15


def test_the_longer_response_wins_a_trivial_judge() -> None:
    pairs = [
        PreferencePair("1", "p", "long", "x"),
        PreferencePair("2", "p", "x", "long"),
        PreferencePair("3", "p", "ab", "cd"),
    ]
    assert longer_wins(pairs).tolist() == [1.0, 0.0, 0.5]


def test_always_saying_a_is_right_where_a_was_chosen() -> None:
    pairs = [PreferencePair("1", "p", "x", "y", chosen_side="a"), PreferencePair("2", "p", "x", "y", chosen_side="b")]
    assert first_side_wins(pairs).tolist() == [1.0, 0.0]


def test_the_loss_is_the_cross_entropy_of_the_targets() -> None:
    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    win, tie = -math.log(sigmoid(0.7)), -0.5 * math.log(sigmoid(-1.2)) - 0.5 * math.log(sigmoid(1.2))
    assert loss([0.7, -1.2], [1.0, 0.5]) == pytest.approx((win + tie) / 2)
    assert loss([0.0], [1.0]) == pytest.approx(math.log(2))


def test_the_loss_of_a_huge_margin_is_a_number() -> None:
    assert loss([1e4, -1e4], [1.0, 1.0]) == pytest.approx(5000.0)
    assert math.isnan(loss([], []))
