"""One run's evaluation: how often the model agrees with people it has not learned from, beside what is trivial."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInput, NotFound
from ..records import PreferencePair, now, prompt_text
from ..reward.reward_model import RewardModel, load
from ..store import Store, read_json, write_json
from ..training.pairs import by_category, judged_pairs
from ..training.snapshot import read_pairs
from .metrics import Share, difference, first_side_wins, longer_wins, loss, right, share

MISTAKES = 30
MARGINS = 20_000


@dataclass(frozen=True)
class CategoryRow:
    """One category's share of the evaluation."""

    category: str
    pairs: int
    eval_accuracy: Share
    longer_wins: float


@dataclass(frozen=True)
class Mistake:
    """A pair on which the model and the annotators disagree; the margin is negative."""

    comparison_id: str
    category: str
    prompt: str
    chosen: str
    rejected: str
    margin: float


@dataclass(frozen=True)
class Evaluation:
    """How a model does on pairs that it has not learned from. Ties are not counted as right or wrong."""

    on: str
    created_at: str
    pairs: int
    ties: int
    seen_in_training: int
    """Pairs left out because their prompt was learned from."""
    eval_accuracy: Share
    eval_loss: float
    mean_margin: float
    longer_wins: Share
    first_side_wins: Share
    gain_over_length: Share
    categories: list[CategoryRow]
    margins: list[float]
    mistakes: list[Mistake]
    difference_to_training: float | None
    """The largest |margin here − margin in the training process| of a pair: whether serving is what was trained."""


def evaluate(model: RewardModel, pairs: Sequence[PreferencePair], on: str, seen: int = 0) -> Evaluation:
    """Return how a model does on pairs. Raises BadInput if no pair has a winner."""
    return assessed(pairs, margins_of(model, pairs).tolist(), on, seen)


def margins_of(model: RewardModel, pairs: Sequence[PreferencePair]) -> np.ndarray:
    """Return reward(chosen) − reward(rejected) of each pair; shape (pairs,)."""
    scores = model.score([(pair.prompt, text) for pair in pairs for text in (pair.chosen, pair.rejected)])
    rewards = np.array([score.reward for score in scores]).reshape(-1, 2)
    return rewards[:, 0] - rewards[:, 1]


def assessed(pairs: Sequence[PreferencePair], all_margins: Sequence[float], on: str, seen: int) -> Evaluation:
    """Return the evaluation of pairs whose margins are known."""
    wins = [index for index, pair in enumerate(pairs) if pair.target > 0.5]
    if not wins:
        raise BadInput(f"'{on}' has no pair with a winner to evaluate on, apart from those the model has learned from.")
    decided = [pairs[index] for index in wins]
    margins = [all_margins[index] for index in wins]
    correct, longer = right(margins), longer_wins(decided)
    groups = [pair.group or prompt_text(pair.prompt) for pair in decided]
    return Evaluation(
        on=on,
        created_at=now(),
        pairs=len(wins),
        ties=len(pairs) - len(wins),
        seen_in_training=seen,
        eval_accuracy=share(correct, groups),
        eval_loss=loss(all_margins, [pair.target for pair in pairs]),
        mean_margin=float(np.mean(margins)),
        longer_wins=share(longer, groups),
        first_side_wins=share(first_side_wins(decided), groups),
        gain_over_length=difference(correct, longer, groups),
        categories=category_rows(decided, correct, longer, groups),
        margins=[round(margin, 4) for margin in margins[:MARGINS]],
        mistakes=worst(decided, margins),
        difference_to_training=None,
    )


def category_rows(
    pairs: Sequence[PreferencePair], correct: np.ndarray, longer: np.ndarray, groups: Sequence[str]
) -> list[CategoryRow]:
    return [
        CategoryRow(
            category or "(none)", len(indexes), share(correct[indexes], [groups[i] for i in indexes]),
            float(longer[indexes].mean()),
        )
        for category, indexes in sorted(by_category(pairs).items())
    ]  # fmt: skip


def worst(pairs: Sequence[PreferencePair], margins: Sequence[float]) -> list[Mistake]:
    order = sorted(range(len(pairs)), key=lambda index: margins[index])
    return [
        Mistake(p.comparison_id, p.category, prompt_text(p.prompt), p.chosen, p.rejected, round(margins[index], 4))
        for index in order[:MISTAKES]
        if margins[index] < 0
        for p in [pairs[index]]
    ]


def evaluate_run(folder: Path, pairs: Sequence[PreferencePair], in_training: Sequence[float]) -> Evaluation:
    """Evaluate a run's saved model on its held-out pairs, as it will be served, and write evaluation.json.

    `in_training` are the margins of the same pairs as the training process computed them, before saving.
    """
    margins = margins_of(load(folder / "model"), pairs)
    parity = float(np.abs(margins - np.asarray(in_training)).max())
    evaluation = replace(assessed(pairs, margins.tolist(), "held-out pairs", 0), difference_to_training=parity)
    write_json(folder / "evaluation.json", asdict(evaluation))
    return evaluation


def evaluation_of(store: Store, run_id: str, model: RewardModel | None = None) -> Evaluation:
    """Return a run's evaluation on its held-out pairs; a stopped run's is made on the first asking.

    Raises NotFound and BadInput.
    """
    folder = store.run(run_id)
    path = folder / "evaluation.json"
    if path.exists():
        return from_json(read_json(path))
    if not (folder / "model.json").exists():
        raise NotFound(f"Run '{run_id}' has no model to evaluate yet.")
    pairs = read_pairs(folder / "pairs.parquet")["test"]
    evaluation = evaluate(model or load(folder / "model"), pairs, "held-out pairs")
    write_json(path, asdict(evaluation))
    return evaluation


def evaluate_on(store: Store, run_id: str, dataset: str) -> Evaluation:
    """Evaluate a run's model on another dataset, without the prompts it has learned from. Raises NotFound, BadInput."""
    folder = store.run(run_id)
    parts = read_pairs(folder / "pairs.parquet")
    learned = {prompt_text(pair.prompt) for part in ("train", "validation") for pair in parts[part]}
    pairs = judged_pairs(store, dataset).pairs
    fresh = [replace(pair, group="") for pair in pairs if prompt_text(pair.prompt) not in learned]
    if not fresh:
        raise BadInput(f"'{dataset}' has no judged pairs that run '{run_id}' has not learned from.")
    return evaluate(load(folder / "model"), fresh, dataset, len(pairs) - len(fresh))


def from_json(values: dict[str, Any]) -> Evaluation:
    shares = ("eval_accuracy", "longer_wins", "first_side_wins", "gain_over_length")
    rows = [CategoryRow(**{**row, "eval_accuracy": Share(**row["eval_accuracy"])}) for row in values["categories"]]
    mistakes = [Mistake(**each) for each in values["mistakes"]]
    return Evaluation(**{**values, **{s: Share(**values[s]) for s in shares}, "categories": rows, "mistakes": mistakes})
