"""The one way a prompt and a response become token ids, for training, evaluation and scoring alike.

Without a chat template (BERT, RoBERTa, MiniLM): the pair `tokenizer(prompt, response, truncation=True)`, with its token
types, so that plain Transformers scores an exported model the same. With a chat template: the template over the
messages, nothing appended, cut at the beginning, so that the response stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..records import Message, Prompt, prompt_text

CHUNK = 512
"""Texts given to the tokenizer at once: enough for its threads, little enough for memory."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of one (prompt, response), their types where the model has types, and how many tokens were cut off."""

    input_ids: list[int]
    token_type_ids: list[int] | None
    truncated: int


def encode(tokenizer: Any, items: Sequence[tuple[Prompt, str]], max_length: int) -> list[Encoded]:
    """Return each (prompt, response) as at most `max_length` token ids, in the order given."""
    one = encode_chats if tokenizer.chat_template else encode_pairs
    chunks = (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
    return [encoded for chunk in chunks for encoded in one(tokenizer, chunk, max_length)]


def encode_pairs(tokenizer: Any, items: Sequence[tuple[Prompt, str]], max_length: int) -> list[Encoded]:
    prompts, responses = [prompt_text(prompt) for prompt, _ in items], [response for _, response in items]
    batch = tokenizer(
        prompts, responses, truncation=True, max_length=max_length, return_overflowing_tokens=False, return_length=False
    )
    types = batch.get("token_type_ids") or [None] * len(items)
    cut = [max(0, length - max_length) for length in full_lengths(tokenizer, prompts, responses, batch, max_length)]
    return [Encoded(*each) for each in zip(batch["input_ids"], types, cut, strict=True)]


def full_lengths(tokenizer: Any, prompts: list[str], responses: list[str], batch: Any, max_length: int) -> list[int]:
    """Return how long each pair would be uncut; only those that fill `max_length` are encoded again to know."""
    lengths = [len(ids) for ids in batch["input_ids"]]
    full = [index for index, length in enumerate(lengths) if length >= max_length]
    if full:
        again = tokenizer([prompts[i] for i in full], [responses[i] for i in full], verbose=False)
        for index, ids in zip(full, again["input_ids"], strict=True):
            lengths[index] = len(ids)
    return lengths


def encode_chats(tokenizer: Any, items: Sequence[tuple[Prompt, str]], max_length: int) -> list[Encoded]:
    texts = [tokenizer.apply_chat_template(messages(*item), tokenize=False) for item in items]
    ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return [Encoded(each[-max_length:], None, max(0, len(each) - max_length)) for each in ids]


def messages(prompt: Prompt, response: str) -> list[Message]:
    """Return prompt and response as one conversation."""
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    return [*turns, {"role": "assistant", "content": response}]


def collate(tokenizer: Any, encoded: Sequence[Encoded]) -> dict[str, Any]:
    """Return a batch as tensors of shape (len(encoded), longest), padded on the right to its longest."""
    import torch

    longest = max(len(each.input_ids) for each in encoded)

    def padded(rows: list[list[int]], fill: int) -> Any:
        return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])

    batch = {
        "input_ids": padded([each.input_ids for each in encoded], tokenizer.pad_token_id),
        "attention_mask": padded([[1] * len(each.input_ids) for each in encoded], 0),
    }
    if encoded[0].token_type_ids is not None:
        batch["token_type_ids"] = padded([each.token_type_ids or [] for each in encoded], tokenizer.pad_token_type_id)
    return batch
