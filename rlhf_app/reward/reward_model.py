"""A reward model: load it, and score responses with it. Torch is loaded on the first use, not before."""

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadInput, NotFound
from ..records import Prompt, Score
from .base_models import unreachable
from .encoding import Encoded, collate, encode
from .libraries import transformers

TOKENS_A_BATCH = 4096
"""Padded tokens scored at once: beyond it a CPU gets no faster, and memory stays small."""


@dataclass(frozen=True)
class RewardModel:
    """A tokenizer and a network that gives one number, the reward, to a prompt and a response."""

    path: Path
    tokenizer: Any
    network: Any
    max_length: int
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def score(self, items: Sequence[tuple[Prompt, str]]) -> list[Score]:
        """Return the reward of each (prompt, response), in the order given."""
        with self.turn:
            encoded = encode(self.tokenizer, items, self.max_length)
            rewards = rewards_of(self.network, self.tokenizer, encoded)
        return [
            Score(prompt, response, reward, len(each.input_ids), each.truncated)
            for (prompt, response), each, reward in zip(items, encoded, rewards, strict=True)
        ]


def load(path: Path) -> RewardModel:
    """Load a trained model's folder. Raises NotFound and BadInput."""
    if not (path / "config.json").exists():
        raise NotFound(f"There is no model in '{path}'. Has the run finished?")
    network, tokenizer = load_network(str(path))
    return RewardModel(path, tokenizer, network.eval(), tokenizer.model_max_length)


def load_network(location: str) -> tuple[Any, Any]:
    """Return network and tokenizer of a base model's or a reward model's location, with one output, in fp32.

    Only safetensors are read, and no code that a model brings is run. Raises BadInput and ServiceError.
    """
    import torch

    library = transformers()
    options = {"trust_remote_code": False}
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(location, **options)
        network = library.AutoModelForSequenceClassification.from_pretrained(
            location, num_labels=1, dtype=torch.float32, use_safetensors=True, attn_implementation="sdpa", **options
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise unreachable(location, error) from error
    network.config.problem_type = "regression"
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise BadInput(f"The tokenizer of '{location}' can neither pad nor end a text. Choose another base model.")
        tokenizer.pad_token = tokenizer.eos_token
    network.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    return network, tokenizer


def rewards_of(network: Any, tokenizer: Any, encoded: Sequence[Encoded]) -> list[float]:
    """Return the rewards of encoded texts, in the order given, computed in batches of like length."""
    import torch

    rewards = [0.0] * len(encoded)
    with torch.inference_mode():
        for indexes in batches([len(each.input_ids) for each in encoded]):
            batch = collate(tokenizer, [encoded[i] for i in indexes])
            logits = network(**{name: tensor.to(network.device) for name, tensor in batch.items()}).logits
            for index, reward in zip(indexes, logits.squeeze(-1).float().tolist(), strict=True):
                rewards[index] = reward
    return rewards


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indexes, longest first, so many at once that their padded tokens stay within TOKENS_A_BATCH."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, TOKENS_A_BATCH // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def probability_of_first(rewards: Sequence[float]) -> float | None:
    """Return the probability that the first of several responses is preferred to all others; None for one alone.

    Two: σ(r₁ − r₂) (Bradley & Terry, Rank Analysis of Incomplete Block Designs, Biometrika 39, 1952). More: Plackett and
    Luce's first choice, exp(r₁) / Σ exp(rᵢ) (Luce, Individual Choice Behavior, 1959), which for two is the same.
    """
    return first_choice(rewards)[0] if len(rewards) > 1 else None


def first_choice(rewards: Sequence[float]) -> list[float]:
    """Return the probability of each response to be preferred to all others; they add up to 1."""
    highest = max(rewards)
    strengths = [math.exp(reward - highest) for reward in rewards]
    return [strength / sum(strengths) for strength in strengths]
