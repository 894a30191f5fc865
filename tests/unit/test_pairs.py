"""Annotations become pairs, and pairs a split that keeps what belongs together on one side."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlhf_app.errors import BadInput, NotFound
from rlhf_app.records import PreferencePair, prompt_text
from rlhf_app.store import Store
from rlhf_app.training.config import TrainingConfig
from rlhf_app.training.pairs import FEWEST_PAIRS, by_category, judged_pairs, split, split_key
from rlhf_app.training.snapshot import read_pairs, write_pairs


def row(name: str, *votes: str, **rest: Any) -> dict[str, Any]:
    judged = [{"annotator": f"person {number}", "choice": vote} for number, vote in enumerate(votes)]
    return {"id": name, "prompt": f"p {name}", "response_a": "left", "response_b": "right", "votes": judged, **rest}


def pairs_of(prompts: int, each: int, topics: int = 0) -> list[PreferencePair]:
    """Pairs over so many prompts, every topic holding whole prompts."""
    return [
        PreferencePair(
            f"{p}-{n}", f"prompt {p}", f"good {n}", f"bad {n}", group=f"topic {p % topics}" if topics else ""
        )
        for p in range(prompts)
        for n in range(each)
    ]


def test_the_response_that_most_chose_is_the_chosen_one(imported: Callable[..., Store]) -> None:
    store = imported([row("1", "a"), row("2", "b"), row("3", "b", "a", "b")])
    found = judged_pairs(store, "mine").pairs
    assert [(pair.chosen, pair.rejected, pair.chosen_side) for pair in found] == [
        ("left", "right", "a"),
        ("right", "left", "b"),
        ("right", "left", "b"),
    ]
    assert {pair.target for pair in found} == {1.0}


def test_a_tie_is_kept_with_half_a_target(imported: Callable[..., Store]) -> None:
    judged = judged_pairs(imported([row("1", "tie"), row("2", "a")]), "mine")
    assert [pair.target for pair in judged.pairs] == [0.5, 1.0]
    assert (judged.pairs[0].chosen, judged.pairs[0].chosen_side) == ("left", "a")


def test_every_comparison_is_counted_whatever_became_of_it(imported: Callable[..., Store]) -> None:
    votes = [("a",), ("b", "b"), ("tie",), ("a", "b"), ("a", "tie"), ("skip",), ("skip", "a"), ()]
    judged = judged_pairs(imported([row(str(number), *each) for number, each in enumerate(votes)]), "mine")
    assert (judged.wins, judged.ties, judged.undecided, judged.skipped, judged.unjudged) == (3, 1, 2, 1, 1)
    assert [pair.comparison_id for pair in judged.pairs] == ["0", "1", "2", "6"]


def test_a_pair_brings_its_category_and_its_topic(imported: Callable[..., Store]) -> None:
    [pair] = judged_pairs(imported([row("1", "a", category="law", topic="tenancy")]), "mine").pairs
    assert (pair.category, pair.group) == ("law", "tenancy")


def test_pairs_of_a_dataset_that_is_not_there_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no dataset 'nothing'"):
        judged_pairs(store, "nothing")


@pytest.mark.parametrize("seed", range(5))
def test_every_pair_is_on_one_side_and_no_prompt_on_two(seed: int) -> None:
    pairs = pairs_of(prompts=30, each=4)
    parts = split(pairs, TrainingConfig(seed=seed))
    assert sorted(pair.comparison_id for part in parts.values() for pair in part) == sorted(
        pair.comparison_id for pair in pairs
    )
    prompts = [{prompt_text(pair.prompt) for pair in part} for part in parts.values()]
    assert sum(map(len, prompts)) == len(set.union(*prompts)) == 30
    assert 24 <= len(parts["test"]) <= 27
    assert 6 <= len(parts["validation"]) <= 9


def test_the_same_seed_gives_the_same_split_whatever_the_order() -> None:
    pairs = pairs_of(prompts=30, each=2)
    first, again, other = (split(pairs, TrainingConfig(seed=seed)) for seed in (1, 1, 2))
    turned = split(pairs[::-1], TrainingConfig(seed=1))
    assert first == again
    assert first["test"] != other["test"]
    assert {part: sorted(each.comparison_id for each in rows) for part, rows in first.items()} == {
        part: sorted(each.comparison_id for each in rows) for part, rows in turned.items()
    }


def test_where_every_pair_has_a_topic_no_topic_is_on_both_sides() -> None:
    parts = split(pairs_of(prompts=40, each=2, topics=8), TrainingConfig())
    learned = {pair.group for part in ("train", "validation") for pair in parts[part]}  # type: ignore[index]
    tested = {pair.group for pair in parts["test"]}
    assert len(learned | tested) == 8
    assert not learned & tested


def test_a_prompt_is_what_counts_where_the_config_says_so_or_a_topic_is_missing() -> None:
    with_topics = pairs_of(prompts=40, each=2, topics=4)
    without_one = [*with_topics, PreferencePair("x", "prompt x", "good", "bad")]
    assert split_key(with_topics, TrainingConfig()) == "topic"
    assert split_key(with_topics, TrainingConfig(split_by="prompt")) == "prompt"
    assert split_key(without_one, TrainingConfig()) == "prompt"
    with pytest.raises(BadInput, match="without a topic"):
        split(without_one, TrainingConfig(split_by="topic"))


def test_named_topics_are_held_out_and_nothing_else() -> None:
    config = TrainingConfig(held_out_topics=("topic 1", "topic 3"))
    parts = split(pairs_of(prompts=40, each=2, topics=8), config)
    assert {pair.group for pair in parts["test"]} == {"topic 1", "topic 3"}
    assert len(parts["test"]) == 20


def test_a_topic_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="no topic weather"):
        split(pairs_of(prompts=40, each=2, topics=8), TrainingConfig(held_out_topics=("topic 1", "weather")))


def test_too_few_pairs_are_refused_with_what_to_do() -> None:
    with pytest.raises(BadInput, match=rf"19 judged pairs; training needs at least {FEWEST_PAIRS}.*Annotate"):
        split(pairs_of(prompts=19, each=1), TrainingConfig(dataset="mine"))
    assert split(pairs_of(prompts=20, each=1), TrainingConfig())["test"]


def test_pairs_of_one_prompt_cannot_be_split() -> None:
    with pytest.raises(BadInput, match="share one prompt"):
        split(pairs_of(prompts=1, each=50), TrainingConfig())


def test_twenty_thousand_pairs_with_topics_are_split_in_seconds() -> None:
    pairs = pairs_of(prompts=4_000, each=5, topics=50)
    begin = time.monotonic()
    parts = split(pairs, TrainingConfig())
    assert sum(map(len, parts.values())) == 20_000
    assert time.monotonic() - begin < 5


def test_holding_out_every_topic_is_not_blamed_on_the_data() -> None:
    with pytest.raises(BadInput) as caught:
        split(pairs_of(prompts=40, each=2, topics=2), TrainingConfig(held_out_topics=("topic 0", "topic 1")))
    assert "share one" not in str(caught.value)


def test_two_prompts_are_enough_to_train_on_one_and_test_on_the_other() -> None:
    parts = split(pairs_of(prompts=2, each=20), TrainingConfig())
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 20, "validation": 0, "test": 20}


def test_frozen_pairs_come_back_as_they_were(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "你好"}]
    pairs = [PreferencePair("1", turns, "x", "y", 0.5, "b", "law", "t"), PreferencePair("2", "text", "x", "y")]
    write_pairs(tmp_path / "pairs.parquet", {"train": pairs[:1], "validation": [], "test": pairs[1:]})
    assert read_pairs(tmp_path / "pairs.parquet") == {"train": pairs[:1], "validation": [], "test": pairs[1:]}


def test_categories_list_the_places_of_their_pairs() -> None:
    pairs = [PreferencePair(str(n), "p", "x", "y", category=name) for n, name in enumerate(["law", "", "law"])]
    assert by_category(pairs) == {"law": [0, 2], "": [1]}
