"""The trainer's own parts, against values computed by hand, on networks of a few thousand parameters."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    DistilBertConfig,
    ModernBertConfig,
    PretrainedConfig,
    Qwen3Config,
    RobertaConfig,
)

from rlhf_app.records import PreferencePair
from rlhf_app.reward.base_models import embedded_folder
from rlhf_app.reward.reward_model import rewards_of
from rlhf_app.training.config import TrainingConfig
from rlhf_app.training.trainer import (
    PairCollator,
    PairTrainer,
    arguments,
    encode_pairs,
    freeze,
    pair_loss,
    pair_metrics,
)

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
PAIRS = [
    PreferencePair("1", "Why?", "Because light is scattered by air.", "No."),
    PreferencePair("2", "Why?", "Because light is scattered by air.", "Who knows, and who would ask such a thing?"),
    PreferencePair("3", "Why?", "No.", "Who knows, and who would ask such a thing?", target=0.5),
    PreferencePair("4", "How many?", "Three.", "Why?"),
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(embedded_folder())


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks as small as these are slower with more threads, above all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny(tokenizer: Any) -> Any:
    """A network that gives rewards at random, without dropout and with weights large enough to tell texts apart."""
    torch.manual_seed(0)
    calm = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.5}
    return AutoModelForSequenceClassification.from_config(
        BertConfig(vocab_size=len(tokenizer), **SIZES, **calm, num_labels=1)
    )


def trainer_of(
    folder: Path, tokenizer: Any, train: list[PreferencePair], validation: list[PreferencePair], **settings: Any
) -> PairTrainer:
    config = TrainingConfig(**{"batch_size": 2, "max_length": 32, "epochs": 1.0, **settings})
    encoded = [encode_pairs(tokenizer, pairs, config.max_length) for pairs in (train, validation)]
    return PairTrainer(tiny(tokenizer), arguments(config, str(folder)), tokenizer, *encoded)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(margins: list[float], targets: list[float]) -> float:
    """The mean cross-entropy, written as the textbook does."""
    each = [-t * math.log(sigmoid(m)) - (1 - t) * math.log(sigmoid(-m)) for m, t in zip(margins, targets, strict=True)]
    return sum(each) / len(each)


def test_the_loss_of_a_win_and_of_a_tie_are_as_computed_by_hand() -> None:
    margins, targets = [0.3, -2.0, 1.5], [1.0, 1.0, 0.5]
    assert pair_loss(torch.tensor(margins), torch.tensor(targets)).item() == pytest.approx(by_hand(margins, targets))


def test_a_tie_is_best_at_no_margin() -> None:
    at = [pair_loss(torch.tensor([margin]), torch.tensor([0.5])).item() for margin in (-1.0, 0.0, 1.0)]
    assert at[1] == pytest.approx(math.log(2))
    assert at[0] == pytest.approx(at[2]) and at[0] > at[1]


def test_accuracy_and_margin_leave_ties_out() -> None:
    metrics = pair_metrics(torch.tensor([2.0, -1.0, 0.0, 9.0]), torch.tensor([1.0, 1.0, 1.0, 0.5]))
    assert metrics == {"accuracy": pytest.approx(0.5), "margin": pytest.approx(1 / 3)}
    assert math.isnan(pair_metrics(torch.tensor([1.0]), torch.tensor([0.5]))["accuracy"])


def test_a_text_of_several_pairs_is_encoded_once(tokenizer: Any) -> None:
    encoded = encode_pairs(tokenizer, PAIRS, 32)
    assert len(encoded.texts) == 5
    assert encoded.pairs == [(0, 1), (0, 2), (1, 2), (3, 4)]
    assert encoded.targets == [1.0, 1.0, 0.5, 1.0]


def test_texts_that_lose_tokens_are_counted_once(tokenizer: Any) -> None:
    assert encode_pairs(tokenizer, PAIRS, 32).truncated == 0
    assert encode_pairs(tokenizer, PAIRS, 10).truncated == 2


def test_parts_of_like_length_give_the_rewards_of_one_part(tokenizer: Any) -> None:
    encoded, network = encode_pairs(tokenizer, PAIRS, 32), tiny(tokenizer).eval()
    margins = []
    for texts_a_part in (0, 1, 2):
        batch = PairCollator(tokenizer, encoded.texts, texts_a_part)(encoded.rows)
        with torch.no_grad():
            rewards = torch.cat([network(**part).logits.squeeze(-1) for part in batch["parts"]])
        margins.append((rewards[batch["chosen"]] - rewards[batch["rejected"]]).tolist())
        assert len(batch["parts"]) == {0: 1, 1: 5, 2: 3}[texts_a_part]
        assert sum(len(part["input_ids"]) for part in batch["parts"]) == 5
    assert margins[1] == pytest.approx(margins[0], abs=1e-5)
    assert margins[2] == pytest.approx(margins[0], abs=1e-5)


@pytest.mark.parametrize("centring", [0.0, 0.1])
def test_a_step_has_the_loss_computed_by_hand(tmp_path: Path, tokenizer: Any, centring: float) -> None:
    trainer = trainer_of(tmp_path, tokenizer, PAIRS, PAIRS, center_rewards_coefficient=centring)
    encoded = trainer.encoded_train
    trainer.model.eval()
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(encoded.rows)).item()
    r = rewards_of(trainer.model, tokenizer, encoded.texts)
    expected = by_hand([r[chosen] - r[rejected] for chosen, rejected in encoded.pairs], encoded.targets)
    pull = sum((r[chosen] + r[rejected]) ** 2 for chosen, rejected in encoded.pairs) / len(encoded.pairs)
    assert loss == pytest.approx(expected + centring * pull, abs=1e-5)


def test_the_watched_pairs_are_evaluated_exactly_and_training_goes_on(tmp_path: Path, tokenizer: Any) -> None:
    trainer = trainer_of(tmp_path, tokenizer, PAIRS, PAIRS)
    trainer.model.train()
    found = trainer.evaluate()
    r = rewards_of(trainer.model.eval(), tokenizer, trainer.encoded_validation.texts)
    margins = [r[0] - r[1], r[0] - r[2], r[1] - r[2], r[3] - r[4]]
    wins = [margins[0], margins[1], margins[3]]
    assert found["eval_loss"] == pytest.approx(by_hand(margins, [1.0, 1.0, 0.5, 1.0]), abs=1e-5)
    assert found["eval_margin"] == pytest.approx(sum(wins) / 3, abs=1e-5)
    assert found["eval_accuracy"] == pytest.approx(sum(margin > 0 for margin in wins) / 3)


def test_evaluating_leaves_the_network_in_training(tmp_path: Path, tokenizer: Any) -> None:
    trainer = trainer_of(tmp_path, tokenizer, PAIRS, PAIRS)
    trainer.model.train()
    trainer.evaluate()
    assert trainer.model.training


def test_a_run_without_watched_pairs_is_not_broken_by_evaluating_them(tmp_path: Path, tokenizer: Any) -> None:
    trainer_of(tmp_path, tokenizer, PAIRS, []).evaluate()


def test_every_pair_is_trained_on_once_an_epoch_and_the_next_one_draws_anew(tmp_path: Path, tokenizer: Any) -> None:
    pairs = [PreferencePair(str(n), f"prompt {n}", "good", "bad") for n in range(31)]
    loader = trainer_of(tmp_path, tokenizer, pairs, []).get_train_dataloader()
    epochs = []
    for epoch in range(2):
        loader.set_epoch(epoch)
        epochs.append(
            [[tuple(ids) for part in batch["parts"] for ids in part["input_ids"].tolist()] for batch in loader]
        )
    assert [sum(map(len, epoch)) for epoch in epochs] == [62, 62]
    assert epochs[0] != epochs[1]


def test_training_learns_changes_what_is_free_and_repeats_by_its_seed(tmp_path: Path, tokenizer: Any) -> None:
    losses = []
    for _ in range(2):
        trainer = trainer_of(tmp_path, tokenizer, PAIRS[:2], PAIRS[:2], epochs=10.0, learning_rate=1e-2, seed=7)
        freeze(trainer.model, 1)
        before = {name: value.clone() for name, value in trainer.model.named_parameters()}
        losses.append((trainer.evaluate()["eval_loss"], trainer.train().training_loss, trainer.evaluate()["eval_loss"]))
        changed = {name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])}
        assert changed == {name for name, value in trainer.model.named_parameters() if value.requires_grad}
    assert losses[0][2] < losses[0][0] / 2
    assert losses[0] == losses[1]


FAMILIES = [
    BertConfig(vocab_size=100, **SIZES),
    RobertaConfig(vocab_size=100, **SIZES),
    DistilBertConfig(vocab_size=100, dim=16, hidden_dim=32, n_layers=3, n_heads=2),
    ModernBertConfig(
        vocab_size=100, **SIZES, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
    ),
    Qwen3Config(vocab_size=100, **SIZES, num_key_value_heads=2, head_dim=8),
]


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: config.model_type)
def test_freezing_holds_the_embeddings_and_the_lower_layers_of_every_family(config: PretrainedConfig) -> None:
    config.num_labels = 1
    network = AutoModelForSequenceClassification.from_config(config)
    everything = sum(parameter.numel() for parameter in network.parameters())
    assert freeze(network, -1) == everything
    left = freeze(network, 2)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert 0 < left < everything - 100 * 16
    assert {number for number in "012" if any(f".{number}." in name and "layer" in name for name in frozen)} == {
        "0",
        "1",
    }
    assert any("embed" in name for name in frozen)
    assert not any("classifier" in name or "score" in name for name in frozen)


def test_freezing_more_layers_than_there_are_leaves_the_head(tokenizer: Any) -> None:
    assert freeze(tiny(tokenizer), 128) == 16 * 16 + 16 + 16 + 1  # pooler and classifier
