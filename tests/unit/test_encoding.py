"""Text to ids: as plain Transformers does it, and nothing lost without being counted."""

import copy
from typing import Any

import pytest
from transformers import AutoTokenizer

from rlhf_app.reward.base_models import embedded_folder
from rlhf_app.reward.encoding import CHUNK, collate, encode

TEMPLATE = "{% for turn in messages %}{{ turn['role'] }}: {{ turn['content'] }}\n{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(embedded_folder())


@pytest.fixture(scope="module")
def chat(tokenizer: Any) -> Any:
    """A tokenizer with a chat template."""
    with_template = copy.deepcopy(tokenizer)
    with_template.chat_template = TEMPLATE
    return with_template


@pytest.mark.parametrize("words", [1, 10, 60])
def test_a_pair_becomes_the_ids_that_plain_transformers_makes(tokenizer: Any, words: int) -> None:
    prompt, response = "Why is the sky blue? " * words, "Light is scattered. " * words
    [encoded] = encode(tokenizer, [(prompt, response)], 64)
    plain = tokenizer(prompt, response, truncation=True, max_length=64)
    assert encoded.input_ids == plain["input_ids"]
    assert encoded.token_type_ids == plain["token_type_ids"]


def test_the_tokens_that_were_cut_off_are_counted(tokenizer: Any) -> None:
    [encoded] = encode(tokenizer, [("red " * 50, "blue " * 50)], 40)
    assert len(encoded.input_ids) == 40
    assert encoded.truncated == 103 - 40  # 100 words, [CLS] and twice [SEP]


def test_a_pair_that_just_fits_loses_nothing(tokenizer: Any) -> None:
    [fits, does_not] = encode(tokenizer, [("red " * 10, "blue " * 10), ("red " * 10, "blue " * 11)], 23)
    assert (len(fits.input_ids), fits.truncated) == (23, 0)
    assert (len(does_not.input_ids), does_not.truncated) == (23, 1)


def test_both_prompt_and_response_are_left_of_two_long_texts(tokenizer: Any) -> None:
    [encoded] = encode(tokenizer, [("red " * 500, "blue " * 500)], 63)
    red, blue = tokenizer.convert_tokens_to_ids(["red", "blue"])
    assert encoded.input_ids.count(red) == encoded.input_ids.count(blue) == 30


def test_a_conversation_is_read_with_its_roles_where_there_is_no_template(tokenizer: Any) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    [encoded] = encode(tokenizer, [(turns, "Bye")], 64)
    assert tokenizer.decode(encoded.input_ids) == "[CLS] user : hi assistant : hello [SEP] bye [SEP]"


def test_one_user_turn_is_the_same_as_its_text(tokenizer: Any) -> None:
    turn = [{"role": "user", "content": "Hi"}]
    assert encode(tokenizer, [(turn, "Bye")], 64) == encode(tokenizer, [("Hi", "Bye")], 64)


def test_the_order_is_kept_over_many_texts(tokenizer: Any) -> None:
    items = [(f"prompt {number}", f"response {number}") for number in range(CHUNK + 3)]
    encoded = encode(tokenizer, items, 32)
    assert len(encoded) == len(items)
    assert encoded[CHUNK + 1] == encode(tokenizer, [items[CHUNK + 1]], 32)[0]


def test_nothing_becomes_nothing(tokenizer: Any) -> None:
    assert encode(tokenizer, [], 32) == []


def test_a_chat_template_is_used_and_nothing_is_appended(chat: Any) -> None:
    [encoded] = encode(chat, [("Hi", "Bye")], 64)
    assert encoded.input_ids == chat("user: Hi\nassistant: Bye\n", add_special_tokens=False)["input_ids"]
    assert encoded.token_type_ids is None


def test_with_a_chat_template_the_prompt_is_cut_from_its_beginning_and_the_response_stays(chat: Any) -> None:
    [encoded] = encode(chat, [("first " + "red " * 100, "blue " * 10 + "last")], 20)
    text = chat.decode(encoded.input_ids)
    assert text.endswith("assistant : " + "blue " * 10 + "last")
    assert "first" not in text
    assert len(encoded.input_ids) == 20
    assert encoded.truncated == 2 + 101 + 2 + 11 - 20


def test_a_batch_is_padded_on_the_right_to_its_longest(tokenizer: Any) -> None:
    short, long = encode(tokenizer, [("red", "blue"), ("red", "blue blue blue")], 32)
    batch = collate(tokenizer, [short, long])
    assert batch["input_ids"].shape == (2, 7)
    assert batch["input_ids"][0].tolist() == [*short.input_ids, 0, 0]
    assert batch["attention_mask"].tolist() == [[1] * 5 + [0, 0], [1] * 7]
    assert batch["token_type_ids"][1].tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_a_batch_has_no_token_types_where_the_model_knows_none(chat: Any) -> None:
    assert set(collate(chat, encode(chat, [("Hi", "Bye")], 32))) == {"input_ids", "attention_mask"}
