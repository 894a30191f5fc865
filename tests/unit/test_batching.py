"""Batches: every pair once an epoch, nothing read twice, the same by the same seed."""

import random

import pytest

from rlhf_app.training.batching import Pair, PairBatches

EPOCHS = range(6)


def apart(pairs: int) -> list[Pair]:
    """Pairs that share no text."""
    return [(2 * number, 2 * number + 1) for number in range(pairs)]


def debate(texts: int, share: float, seed: int = 1) -> list[Pair]:
    """Pairs between some of the texts, many to each."""
    draw = random.Random(seed)
    return [(i, j) for i in range(texts) for j in range(i + 1, texts) if draw.random() < share]


def batches_of(pairs: list[Pair], batch_size: int = 4, seed: int = 42, epoch: int = 0) -> list[list[int]]:
    lengths = [5 + text % 37 for text in range(1000)]
    sampler = PairBatches(pairs, lengths, batch_size, seed)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    return batches


@pytest.mark.parametrize("pairs", [1, 3, 4, 130])
@pytest.mark.parametrize("epoch", EPOCHS)
def test_pairs_that_share_no_text_come_once_an_epoch(pairs: int, epoch: int) -> None:
    batches = batches_of(apart(pairs), epoch=epoch)
    assert sorted(pair for batch in batches for pair in batch) == list(range(pairs))
    assert max(map(len, batches)) <= 4


@pytest.mark.parametrize(("texts", "share"), [(12, 1.0), (30, 0.2), (40, 0.1), (200, 0.02)])
def test_pairs_that_share_texts_come_once_an_epoch(texts: int, share: float) -> None:
    pairs = debate(texts, share)
    for epoch in EPOCHS:
        seen = [pair for batch in batches_of(pairs, epoch=epoch) for pair in batch]
        assert sorted(seen) == list(range(len(pairs)))


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_batch_reads_no_more_texts_than_a_plain_one_would(epoch: int) -> None:
    pairs = debate(60, 0.1)
    for batch in batches_of(pairs, batch_size=4, epoch=epoch):
        assert 0 < len({text for pair in batch for text in pairs[pair]}) <= 8


def test_recurring_texts_bring_more_pairs_a_batch_for_the_same_reading() -> None:
    ranked = debate(16, 1.0)  # 120 pairs of 16 texts
    batches = batches_of(ranked, batch_size=4)
    assert len(batches) <= len(ranked) / 4 / 2
    assert max(map(len, batches)) == 28  # all pairs between 8 texts


def test_the_same_pair_given_twice_is_read_once_and_learned_twice() -> None:
    [batch] = batches_of([(0, 1), (0, 1), (1, 0)], batch_size=2)
    assert sorted(batch) == [0, 1, 2]


def test_a_batch_holds_texts_of_like_length() -> None:
    pairs = apart(64)
    lengths = [text // 2 for text in range(128)]
    longest = [
        [max(lengths[text] for text in pairs[pair]) for pair in batch] for batch in PairBatches(pairs, lengths, 4, 1)
    ]
    assert all(max(batch) - min(batch) == 3 for batch in longest)


@pytest.mark.parametrize("pairs", [apart(50), debate(30, 0.3)])
def test_the_seed_and_the_epoch_decide_the_batches(pairs: list[Pair]) -> None:
    assert batches_of(pairs, seed=1, epoch=2) == batches_of(pairs, seed=1, epoch=2)
    assert batches_of(pairs, seed=1, epoch=2) != batches_of(pairs, seed=1, epoch=3)
    assert batches_of(pairs, seed=1, epoch=2) != batches_of(pairs, seed=2, epoch=2)
