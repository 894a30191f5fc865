"""From judged comparisons to preference pairs, and to a split that keeps what belongs together on one side."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..data.comparisons import everything
from ..errors import BadInput
from ..records import PreferencePair, prompt_text
from ..store import Store
from .config import TrainingConfig

FEWEST_PAIRS = 20
WATCHED = 0.05
"""Share of the pairs that is evaluated while training; the final evaluation never touches them, nor they it."""

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Judged:
    """A dataset's pairs, and what became of every comparison: its counts add up to all of them."""

    pairs: list[PreferencePair]
    wins: int
    ties: int
    undecided: int
    skipped: int
    unjudged: int


def judged_pairs(store: Store, dataset: str) -> Judged:
    """Return a pair for each comparison that most annotators gave to one side, or called a tie.

    A comparison on which two choices lead with as many votes is left out and counted as undecided. Raises NotFound.
    """
    counts: Counter[str] = Counter()
    pairs = []
    for comparison, verdict in everything(store, dataset):
        counts[verdict or "unjudged"] += 1
        if verdict not in ("a", "b", "tie"):
            continue
        a, b = comparison.response_a, comparison.response_b
        pairs.append(
            PreferencePair(
                comparison.id,
                comparison.prompt,
                chosen=b if verdict == "b" else a,
                rejected=a if verdict == "b" else b,
                target=0.5 if verdict == "tie" else 1.0,
                chosen_side="b" if verdict == "b" else "a",
                category=comparison.category,
                group=str(comparison.metadata.get("topic") or ""),
            )
        )
    wins = counts["a"] + counts["b"]
    return Judged(pairs, wins, counts["tie"], counts["undecided"], counts["skip"], counts["unjudged"])


def split(pairs: Sequence[PreferencePair], config: TrainingConfig) -> dict[Part, list[PreferencePair]]:
    """Divide pairs into train, validation and test so that no group is on two sides; the same seed, the same split.

    A group is a topic where the config asks for it (or, by `auto`, where every pair has one), else a prompt.
    Validation is drawn from the rest by prompt. Raises BadInput where nothing would be left on a side.
    """
    if len(pairs) < FEWEST_PAIRS:
        raise BadInput(
            f"'{config.dataset}' has {len(pairs)} judged pairs; training needs at least {FEWEST_PAIRS}. "
            "Judge more in the Annotate tab, or import a file that carries judgements."
        )
    key = split_key(pairs, config)
    pairs = [replace(pair, group=group_of(pair, key)) for pair in pairs]
    test = held_out_groups(pairs, config)
    rest = [pair for pair in pairs if pair.group not in test]
    if not rest:
        raise BadInput("Every topic is held out, so nothing is left to learn from. Hold out fewer.")
    if not test:
        raise BadInput(
            f"All pairs of '{config.dataset}' share one {key}, so none can be held out. "
            + (
                "Split by prompt, or add comparisons of other topics."
                if key == "topic"
                else "Add comparisons of other prompts."
            )
        )
    if not any(pair.target > 0.5 for pair in rest) or not any(p.target > 0.5 for p in pairs if p.group in test):
        raise BadInput(f"Too few pairs of '{config.dataset}' have a winner; nearly all are ties. Judge more of them.")
    watched = fill([prompt_text(pair.prompt) for pair in rest], WATCHED * len(pairs), config.seed + 1)
    return {
        "train": [pair for pair in rest if prompt_text(pair.prompt) not in watched],
        "validation": [pair for pair in rest if prompt_text(pair.prompt) in watched],
        "test": [pair for pair in pairs if pair.group in test],
    }


def split_key(pairs: Sequence[PreferencePair], config: TrainingConfig) -> str:
    """Return "topic" or "prompt": what the split keeps together. Raises BadInput if a pair lacks the topic asked for."""
    topics = all(pair.group for pair in pairs)
    if config.held_out_topics and config.split_by == "prompt":
        raise BadInput("Topics are held out, so the split cannot be by prompt. Choose auto or topic.")
    if (config.split_by == "topic" or config.held_out_topics) and not topics:
        raise BadInput(f"'{config.dataset}' has comparisons without a topic, so it cannot be split by topic.")
    return "topic" if topics and config.split_by != "prompt" else "prompt"


def group_of(pair: PreferencePair, key: str) -> str:
    return pair.group if key == "topic" else prompt_text(pair.prompt)


def held_out_groups(pairs: Sequence[PreferencePair], config: TrainingConfig) -> set[str]:
    groups = [pair.group for pair in pairs]
    if not config.held_out_topics:
        return fill(groups, config.held_out * len(pairs), config.seed)
    if missing := set(config.held_out_topics) - set(groups):
        raise BadInput(f"'{config.dataset}' has no topic {', '.join(sorted(missing))}.")
    return set(config.held_out_topics)


def fill(groups: Sequence[str], wanted: float, seed: int) -> set[str]:
    """Return groups, in an order drawn by the seed, until they hold as many pairs as wanted; never all of them.

    Groups of more than twice what is wanted are left out while there are smaller ones.
    """
    sizes = Counter(groups)
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed} {group}".encode()).digest())
    taken: set[str] = set()
    held = 0
    small = [group for group in order if sizes[group] <= 2 * wanted]
    for group in small if 0 < len(small) < len(order) else order[:-1]:
        if held >= wanted:
            break
        taken.add(group)
        held += sizes[group]
    return taken


def by_category(pairs: Sequence[PreferencePair]) -> dict[str, list[int]]:
    """Return the indexes of the pairs of each category."""
    indexes: dict[str, list[int]] = defaultdict(list)
    for index, pair in enumerate(pairs):
        indexes[pair.category].append(index)
    return dict(indexes)
