"""What a run would do, told before it starts: its pairs, its split, what is cut off, and about how long it takes."""

import time
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..reward.base_models import locate, unreachable
from ..reward.encoding import encode
from ..reward.libraries import transformers
from ..store import Store, read_json
from .config import TrainingConfig
from .pairs import Judged, Part, judged_pairs, split, split_key

MEASURED_TEXTS = 400
"""How many texts are encoded to know lengths and truncation; the rest is reckoned from them."""


@dataclass(frozen=True)
class Plan:
    """The forecast of a run. `seconds` is an estimate; None where the base model is not on this machine yet."""

    judged: Judged
    parts: dict[Part, int]
    split_by: str
    held_out_groups: int
    truncated_share: float | None
    tokens_a_text: float | None
    seconds: float | None


def plan(store: Store, config: TrainingConfig) -> Plan:
    """Return what a run would do. Raises NotFound and BadInput."""
    judged = judged_pairs(store, config.dataset)
    parts = split(judged.pairs, config)
    key = split_key(judged.pairs, config)
    counts = {part: len(pairs) for part, pairs in parts.items()}
    groups = len({pair.group for pair in parts["test"]})
    train = parts["train"]
    texts = list(
        {
            (repr(pair.prompt), text): (pair.prompt, text) for pair in train for text in (pair.chosen, pair.rejected)
        }.values()
    )
    step = max(1, len(texts) // MEASURED_TEXTS)
    loaded = tokenizer_and_config(config.base)
    if loaded is None:
        return Plan(judged, counts, key, groups, None, None, None)
    tokenizer, architecture = loaded
    check_length(config, architecture)
    encoded = encode(tokenizer, texts[::step], config.max_length)
    mean = sum(len(each.input_ids) for each in encoded) / len(encoded)
    truncated = sum(each.truncated > 0 for each in encoded) / len(encoded)
    seconds = START_UP + mean * len(texts) * config.epochs * flops_a_token(architecture, config) / (
        speed_of_last_run(store) or speed()
    )
    return Plan(judged, counts, key, groups, truncated, mean, seconds)


START_UP = 20.0
"""Seconds to load the libraries and the model, and to evaluate; measured with the embedded model on two cores."""

USEFUL = 0.33
"""Share of a matrix product's speed that training reaches, padding included; measured as START_UP."""


def tokenizer_and_config(base: str) -> tuple[Any, Any] | None:
    """Return a base model's tokenizer and architecture if they are on this machine, else None. Raises BadInput."""
    location, library = locate(base), transformers()
    try:
        return (
            library.AutoTokenizer.from_pretrained(location, local_files_only=True, trust_remote_code=False),
            library.AutoConfig.from_pretrained(location, local_files_only=True, trust_remote_code=False),
        )
    except OSError:
        return None
    except (ValueError, KeyError) as error:
        raise unreachable(base, error) from error


def check_length(config: TrainingConfig, architecture: Any) -> None:
    """Raise BadInput if the config wants more tokens than the base model has places for."""
    places = getattr(architecture.get_text_config(), "max_position_embeddings", None)
    if places and config.max_length > places:
        raise BadInput(f"max_length is {config.max_length}, but '{config.base}' reads at most {places} tokens.")


def flops_a_token(architecture: Any, config: TrainingConfig) -> float:
    """Return floating point operations to train on one token: 2 a parameter forward, 4 more backward if it is trained.

    Kaplan et al., Scaling Laws for Neural Language Models (2020), section 2.1.
    """
    text = architecture.get_text_config()
    width, layers = text.hidden_size, text.num_hidden_layers
    parameters = 4 * width**2 + 2 * width * getattr(text, "intermediate_size", 4 * width)
    frozen = min(max(0, config.frozen_layers), layers)
    return parameters * (2 * layers + 4 * (layers - frozen))


def speed_of_last_run(store: Store) -> float | None:
    """Return the floating point operations a second that the newest run on this machine reached, or None."""
    manifests = sorted(store.runs.glob("*/model.json"), key=lambda path: path.stat().st_mtime)
    return read_json(manifests[-1]).get("flops_a_second") if manifests else None


def speed() -> float:
    """Return the useful floating point operations a second of this machine, from a product that takes a moment."""
    import torch

    size = 768
    left, right = torch.rand(size, size), torch.rand(size, size)
    if torch.cuda.is_available():
        left, right = left.cuda(), right.cuda()
    torch.mm(left, right)
    best = 0.0
    for _ in range(5):  # the best of a few: the machine may be busy with something that passes
        start = time.perf_counter()
        for _ in range(4):
            torch.mm(left, right)
        if left.is_cuda:
            torch.cuda.synchronize()
        best = max(best, 4 * 2 * size**3 / (time.perf_counter() - start))
    return USEFUL * best
