"""Numbers that say how good a reward model is, each with its uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..records import PreferencePair

RESAMPLES = 2000
FEW_GROUPS = 10


@dataclass(frozen=True)
class Share:
    """A share between 0 and 1 with its 95 % interval, and how that was found."""

    value: float
    low: float
    high: float
    method: str


def right(margins: Sequence[float]) -> np.ndarray:
    """Return 1 where the chosen response has the higher reward, ½ where both are equal, else 0; shape (pairs,)."""
    values = np.asarray(margins, dtype=float)
    return (values > 0) + 0.5 * (values == 0)


def longer_wins(pairs: Sequence[PreferencePair]) -> np.ndarray:
    """Return what a judge who only looks at length in characters gets right; shape (pairs,)."""
    return right([len(pair.chosen) - len(pair.rejected) for pair in pairs])


def first_side_wins(pairs: Sequence[PreferencePair]) -> np.ndarray:
    """Return what a judge who always says A gets right; shape (pairs,)."""
    return np.array([1.0 if pair.chosen_side == "a" else 0.0 for pair in pairs])


def share(correct: np.ndarray, groups: Sequence[str]) -> Share:
    """Return the mean of `correct` with its 95 % interval.

    Pairs of one group (a prompt, or a topic where the split is by topic) are alike, so they are no independent draws:
    where groups have several pairs, the interval is over groups (`over_groups`), and never narrower than for independent
    pairs. Where each pair is a group of its own, it is Wilson's (JASA 22, 1927).
    """
    from scipy.stats import binomtest

    if len(correct) == 0:
        return Share(float("nan"), 0.0, 1.0, "no pairs")
    value = float(correct.mean())
    wilson = binomtest(round(float(correct.sum())), len(correct)).proportion_ci(0.95, "wilson")
    if len(set(groups)) == len(correct):
        return Share(value, float(wilson.low), float(wilson.high), f"Wilson, {len(correct)} pairs")
    low, high, method = over_groups(correct, groups)
    return Share(value, max(0.0, min(low, wilson.low)), min(1.0, max(high, wilson.high)), method)


def difference(correct: np.ndarray, other: np.ndarray, groups: Sequence[str]) -> Share:
    """Return the mean of correct − other, of the same pairs, with its 95 % interval over groups."""
    if len(correct) == 0:
        return Share(float("nan"), -1.0, 1.0, "no pairs")
    low, high, method = over_groups(correct - other, groups)
    return Share(float((correct - other).mean()), max(-1.0, low), min(1.0, high), method)


def over_groups(values: np.ndarray, groups: Sequence[str]) -> tuple[float, float, str]:
    """Return a 95 % interval of the mean that lets whole groups vary, and the name of its method.

    From FEW_GROUPS on, groups are resampled (cluster bootstrap: Cameron, Gelbach & Miller, Review of Economics and
    Statistics 90, 2008). With fewer that is too narrow, so it is t with as many degrees of freedom as groups less one on
    the cluster-robust error (Cameron & Miller, Journal of Human Resources 50, 2015, section VI). One group says nothing.
    """
    from scipy.stats import t

    names, index = np.unique(np.asarray(groups), return_inverse=True)
    count = len(names)
    if count == 1:
        return -1.0, 1.0, "unknown: one group only"
    if count >= FEW_GROUPS:
        low, high = np.quantile(resampled(values, index, count), [0.025, 0.975])
        return float(low), float(high), f"bootstrap over {count} groups"
    mean = float(values.mean())
    errors = np.bincount(index, values - mean, count)
    error = float(np.sqrt(count / (count - 1) * (errors**2).sum()) / len(values))
    reach = float(t.ppf(0.975, count - 1)) * error
    return mean - reach, mean + reach, f"t over {count} groups"


def resampled(values: np.ndarray, index: np.ndarray, groups: int) -> np.ndarray:
    """Return the mean of values in each of RESAMPLES draws of whole groups; shape (RESAMPLES,)."""
    draw = np.random.default_rng(0)
    sums = np.bincount(index, values, groups)
    sizes = np.bincount(index, minlength=groups).astype(float)
    means = []
    for _ in range(RESAMPLES):
        times = np.bincount(draw.integers(0, groups, groups), minlength=groups)
        means.append(float(times @ sums) / float(times @ sizes))
    return np.array(means)


def loss(margins: Sequence[float], targets: Sequence[float]) -> float:
    """Return the mean cross-entropy of σ(margin) to the target, in nats: what training makes small."""
    m, t = np.asarray(margins, dtype=float), np.asarray(targets, dtype=float)
    return float((np.logaddexp(0, m) - t * m).mean()) if len(m) else float("nan")
