"""Scoring 256 responses: one at a time padded to 512 tokens, and Transformers' pipeline, against ours."""

import os
from collections.abc import Iterator

import torch

from rlhf_app.data.comparisons import everything
from rlhf_app.records import prompt_text
from rlhf_app.reward.base_models import locate
from rlhf_app.reward.reward_model import RewardModel, load_network
from rlhf_app.store import Store

from .browsing import Case

RESPONSES = 256


def cases(store: Store) -> Iterator[Case]:
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    network, tokenizer = load_network(locate("all-MiniLM-L6-v2"))
    network.eval()
    model = RewardModel(store.home, tokenizer, network, 512)
    items = [
        (each.prompt, text) for each, _ in everything(store, "sample") for text in (each.response_a, each.response_b)
    ]
    items = items[:RESPONSES]

    @torch.no_grad()
    def one_at_a_time() -> None:
        for prompt, response in items:
            batch = tokenizer(
                prompt_text(prompt),
                response,
                return_tensors="pt",
                truncation=True,
                max_length=512,
                padding="max_length",
            )
            network(**batch).logits[0].item()

    @torch.no_grad()
    def in_batches() -> None:
        for start in range(0, len(items), 32):
            part = items[start : start + 32]
            batch = tokenizer(
                [prompt_text(prompt) for prompt, _ in part],
                [response for _, response in part],
                return_tensors="pt", truncation=True, max_length=512, padding=True,
            )  # fmt: skip
            network(**batch).logits.tolist()

    name = f"Score {RESPONSES} responses"
    yield name, "one at a time, padded to 512", one_at_a_time, lambda: model.score(items), 2
    yield name, "batches of 32, padded to the longest", in_batches, lambda: model.score(items), 3
