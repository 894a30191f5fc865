"""Which pairs make a step: of like length, so that little is padding; sharing responses, so that none is read twice.

Where the same (prompt, response) stands in many pairs (ranked lists, debates), a step takes as many distinct texts as a
plain step would, and with them every pair between them: many more pairs for the same reading.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RECURRING = 1.5
"""Pairs' texts divided by distinct texts, from which on batches are made by shared texts."""

Pair = tuple[int, int]
"""The indexes of a pair's chosen and rejected text."""


@dataclass
class PairBatches:
    """A batch sampler: each epoch yields every pair once, in batches drawn anew from the seed and the epoch."""

    pairs: Sequence[Pair]
    lengths: Sequence[int]
    """Tokens of each distinct text."""
    batch_size: int
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        self.steps_an_epoch = len(self.batches())

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps_an_epoch

    def __iter__(self) -> Iterator[list[int]]:
        yield from self.batches()

    def batches(self) -> list[list[int]]:
        draw = random.Random(f"{self.seed} {self.epoch}")  # noqa: S311 (a shuffle, not a secret)
        distinct = len({text for pair in self.pairs for text in pair})
        if 2 * len(self.pairs) / max(1, distinct) >= RECURRING:
            batches = by_shared_texts(self.pairs, 2 * self.batch_size, draw)
        else:
            batches = by_length(self.pairs, self.lengths, self.batch_size, draw)
        draw.shuffle(batches)
        return as_many(batches, getattr(self, "steps_an_epoch", len(batches)))


def as_many(batches: list[list[int]], wanted: int) -> list[list[int]]:
    """Return the batches as so many as the first epoch had, since steps are planned: the smallest are joined, the largest
    split. Every pair stays in just one."""
    batches = sorted(batches, key=len) if len(batches) != wanted else batches
    while len(batches) > wanted:
        smallest = batches.pop(0)
        batches[0] = smallest + batches[0]
        batches.sort(key=len)
    while len(batches) < wanted:
        largest = batches.pop()
        batches += [largest[: len(largest) // 2], largest[len(largest) // 2 :]]
        batches.sort(key=len)
    return batches


def by_length(pairs: Sequence[Pair], lengths: Sequence[int], batch_size: int, draw: random.Random) -> list[list[int]]:
    """Return batches of pairs of like length: sorted within shuffled stretches of 16 batches, so that chance remains."""
    order = list(range(len(pairs)))
    draw.shuffle(order)
    stretch = 16 * batch_size
    batches = []
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=lambda i: max(lengths[text] for text in pairs[i]))
        batches += [part[at : at + batch_size] for at in range(0, len(part), batch_size)]
    return batches


def by_shared_texts(pairs: Sequence[Pair], texts: int, draw: random.Random) -> list[list[int]]:
    """Return batches that each hold at most `texts` distinct texts and every pair left between them.

    A batch grows from a random pair by the neighbour that brings most pairs with it. Small leftovers are put together.
    """
    neighbours: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (one, other) in enumerate(pairs):
        neighbours[one][other].append(index)
        neighbours[other][one].append(index)
    order = list(range(len(pairs)))
    draw.shuffle(order)
    left = set(order)
    batches: list[tuple[set[int], list[int]]] = []
    for start in order:
        if start in left:
            members, batch = grow(pairs[start], neighbours, texts, draw)
            left.difference_update(batch)
            batches.append((members, batch))
    return together(batches, texts)


def grow(
    start: Pair, neighbours: dict[int, dict[int, list[int]]], texts: int, draw: random.Random
) -> tuple[set[int], list[int]]:
    """Return a batch's texts and pairs, and take those pairs out of `neighbours`."""
    members: set[int] = set()
    batch: list[int] = []
    gain: dict[int, int] = dict.fromkeys(start, 0)
    wanted = list(start)
    while wanted and len(members) < texts:
        text = wanted.pop(0)
        for other in members & neighbours[text].keys():
            batch += neighbours[text].pop(other)
            neighbours[other].pop(text)
        members.add(text)
        gain.pop(text, None)
        for other, indexes in neighbours[text].items():
            if other not in members:
                gain[other] = gain.get(other, 0) + len(indexes)
        if not wanted and gain:
            most = max(gain.values())
            wanted = [draw.choice([other for other, value in gain.items() if value == most])]
    return members, batch


def together(batches: list[tuple[set[int], list[int]]], texts: int) -> list[list[int]]:
    """Put small batches together while their texts fit into one, the largest first, each where least room is left over."""
    by_room: dict[int, list[tuple[set[int], list[int]]]] = defaultdict(list)
    for members, batch in sorted(batches, key=lambda each: -len(each[0])):
        room = next((room for room in range(len(members), texts + 1) if by_room[room]), None)
        old_members, old_batch = by_room[room].pop() if room is not None else (set(), [])
        joined = (old_members | members, old_batch + batch)
        by_room[texts - len(joined[0])].append(joined)
    return [batch for packed in by_room.values() for _, batch in packed]
