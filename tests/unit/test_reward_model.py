"""Loading a reward model and scoring with it: real models, the smallest there are."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Qwen3Config, Qwen3ForSequenceClassification

from rlhf_app.errors import BadInput, NotFound
from rlhf_app.reward.base_models import EMBEDDED, embedded_folder, locate
from rlhf_app.reward.reward_model import (
    TOKENS_A_BATCH,
    RewardModel,
    batches,
    first_choice,
    load,
    load_network,
    probability_of_first,
)

ITEMS = [
    ("Why is the sky blue?", "Light is scattered."),
    ("Why?", "Because of the molecules of the air, which scatter blue light more than red. " * 9),
    ([{"role": "user", "content": "Is it blue?"}], "Yes."),
    ("Why is the sky blue? " * 30, "No idea."),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model with a head that was never trained, saved as a run would save it."""
    torch.manual_seed(0)
    network, tokenizer = load_network(locate(EMBEDDED))
    tokenizer.model_max_length = 48
    path = tmp_path_factory.mktemp("model")
    network.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> RewardModel:
    return load(folder)


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of a chat family: it has a template, ends with a token, and has none to pad with."""
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    tokenizer.chat_template = "{% for turn in messages %}{{ turn['content'] }}[SEP]{% endfor %}"
    tokenizer.eos_token, tokenizer.pad_token = "[SEP]", None
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    config = Qwen3Config(vocab_size=len(tokenizer), num_attention_heads=2, num_key_value_heads=2, num_labels=1, **sizes)
    path = tmp_path_factory.mktemp("decoder")
    tokenizer.save_pretrained(path)
    Qwen3ForSequenceClassification(config).save_pretrained(path)
    return path


def test_rewards_come_in_the_order_asked_and_do_not_depend_on_company(model: RewardModel) -> None:
    together = [score.reward for score in model.score(ITEMS)]
    alone = [model.score([item])[0].reward for item in ITEMS]
    assert together == pytest.approx(alone, abs=1e-5)
    assert len(set(alone)) == len(ITEMS)


def test_a_reward_is_what_plain_transformers_gives(model: RewardModel, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    for prompt, response in (ITEMS[0], ITEMS[1], ITEMS[3]):
        logits = network(**tokenizer(prompt, response, return_tensors="pt", truncation=True)).logits
        assert model.score([(prompt, response)])[0].reward == pytest.approx(logits.item(), abs=1e-5)


def test_a_score_tells_what_was_read_and_what_was_not(model: RewardModel) -> None:
    short, long, *_ = model.score(ITEMS)
    assert (short.prompt, short.response, short.truncated) == (*ITEMS[0], 0)
    assert short.tokens < 48
    assert long.tokens == 48
    assert long.truncated > 0


def test_no_texts_have_no_scores(model: RewardModel) -> None:
    assert model.score([]) == []


def test_a_model_of_a_chat_family_pads_with_its_end_and_scores_alike_in_any_company(decoder: Path) -> None:
    model = load(decoder)
    assert model.tokenizer.pad_token == "[SEP]"
    together = [score.reward for score in model.score(ITEMS)]
    alone = [model.score([item])[0].reward for item in ITEMS]
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_folder_without_a_model_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no model in"):
        load(tmp_path)


def test_weights_that_are_missing_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    AutoTokenizer.from_pretrained(embedded_folder()).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="cannot be loaded") as caught:
        load_network(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_the_embedded_model_is_a_folder_and_a_hub_id_is_itself() -> None:
    assert (Path(locate(EMBEDDED)) / "model.safetensors").exists()
    assert locate("distilbert/distilroberta-base") == "distilbert/distilroberta-base"


@pytest.mark.parametrize("base", ["two words", "a/b/c", "../up", "/nowhere/at/all"])
def test_what_is_neither_a_folder_nor_an_id_is_refused(base: str) -> None:
    with pytest.raises(BadInput, match="no model id"):
        locate(base)


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no config\.json"):
        locate(str(tmp_path))


def test_every_text_is_in_one_batch_and_memory_stays_small() -> None:
    lengths = [1, 5000, 512, 512, 30, 30, 7, 256] * 20
    made = list(batches(lengths))
    assert sorted(index for batch in made for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= TOKENS_A_BATCH for batch in made)


def test_of_two_the_first_is_preferred_by_bradley_and_terry() -> None:
    assert probability_of_first([2.0, 0.5]) == pytest.approx(1 / (1 + math.exp(-1.5)))
    assert probability_of_first([1.0, 1.0]) == pytest.approx(0.5)


def test_one_response_alone_is_not_preferred_to_anything() -> None:
    assert probability_of_first([1.0]) is None


def test_of_many_the_shares_add_up_even_for_huge_rewards() -> None:
    assert first_choice([0.0, math.log(2), math.log(5)]) == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert first_choice([4000.0, -4000.0]) == [1.0, 0.0]


def test_a_loaded_network_has_one_output_in_full_precision_that_is_no_probability() -> None:
    network, _ = load_network(locate(EMBEDDED))
    parameters: list[Any] = list(network.parameters())
    assert {parameter.dtype for parameter in parameters} == {torch.float32}
    assert (network.config.num_labels, network.config.problem_type) == (1, "regression")
