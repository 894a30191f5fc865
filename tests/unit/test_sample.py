"""The sample is large enough to train on, and neither length nor side gives the better response away."""

import json
from collections import Counter

from rlhf_app.annotation.annotations import annotations
from rlhf_app.data.comparisons import datasets, everything, remove, statistics
from rlhf_app.data.importing import stage
from rlhf_app.records import Comparison, prompt_text
from rlhf_app.sample import DESCRIPTION, FILE, NAME, ensure_sample
from rlhf_app.store import Store


def judged(store: Store) -> list[tuple[Comparison, str]]:
    return [(comparison, verdict or "") for comparison, verdict in everything(store, NAME)]


def test_the_sample_has_rows_enough_each_with_its_own_instruction(sample: Store) -> None:
    prompts = [prompt_text(comparison.prompt) for comparison, _ in judged(sample)]
    assert len(prompts) >= 400
    assert len(set(prompts)) == len(prompts)


def test_every_row_of_the_sample_is_used_without_a_remark(store: Store) -> None:
    report = stage(store, FILE).report
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert report.rows == report.comparisons == report.votes == len(lines)
    assert (report.skipped, report.remarks) == ({}, {})
    assert len({json.loads(line)["id"] for line in lines}) == len(lines)


def test_the_better_response_is_the_longer_one_in_half_of_the_cases(sample: Store) -> None:
    longer = [
        (len(c.response_a) > len(c.response_b)) == (verdict == "a") for c, verdict in judged(sample) if verdict in "ab"
    ]
    assert 0.45 < sum(longer) / len(longer) < 0.55


def test_the_better_response_stands_on_either_side(sample: Store) -> None:
    sides = Counter(verdict for _, verdict in judged(sample))
    assert set(sides) == {"a", "b", "tie"}
    assert 0.45 < sides["a"] / (sides["a"] + sides["b"]) < 0.55
    assert sides["tie"] < 0.1 * sides.total()


def test_in_no_category_one_side_mostly_wins(sample: Store) -> None:
    for category in {comparison.category for comparison, _ in judged(sample)}:
        votes = [
            verdict for comparison, verdict in judged(sample) if comparison.category == category and verdict != "tie"
        ]
        assert 0.3 < votes.count("a") / len(votes) < 0.7, category


def test_a_few_comparisons_are_chinese(sample: Store) -> None:
    chinese = [c for c, _ in judged(sample) if any("\u4e00" <= sign <= "\u9fff" for sign in prompt_text(c.prompt))]
    assert 20 <= len(chinese) <= 100


def test_the_sample_has_eight_categories_of_a_size(sample: Store) -> None:
    categories = statistics(sample, NAME).categories
    assert len(categories) == 8
    assert max(categories.values()) < 2 * min(categories.values())


def test_the_description_counts_right(sample: Store) -> None:
    [dataset] = datasets(sample)
    assert (dataset.name, dataset.description) == (NAME, DESCRIPTION)
    assert DESCRIPTION.startswith(f"{dataset.comparisons} comparisons")


def test_the_sample_is_brought_once_and_removed_for_good(store: Store) -> None:
    ensure_sample(store)
    ensure_sample(store)
    [dataset] = datasets(store)
    assert len(annotations(store, NAME)) == dataset.comparisons
    remove(store, NAME)
    ensure_sample(store)
    assert datasets(store) == []
