"""Training on the same 64 pairs: TRL's RewardTrainer with its defaults, against ours with all layers and as in Quick."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from datasets import Dataset
from trl import RewardConfig, RewardTrainer

from rlhf_app.records import prompt_text
from rlhf_app.reward.base_models import locate
from rlhf_app.reward.reward_model import load_network
from rlhf_app.store import Store
from rlhf_app.training.config import configured
from rlhf_app.training.pairs import judged_pairs
from rlhf_app.training.trainer import PairTrainer, arguments, encode_pairs, freeze

from .browsing import Case

PAIRS, STEPS = 64, 4


def cases(store: Store) -> Iterator[Case]:
    logging.disable(logging.WARNING)
    pairs = judged_pairs(store, "sample").pairs[:PAIRS]
    folder = str(store.home / "bench")

    def stock() -> None:
        network, tokenizer = load_network(locate("all-MiniLM-L6-v2"))
        tokenizer.eos_token = tokenizer.sep_token  # without one TRL crashes on BERT
        rows = [
            {"chosen": f"{prompt_text(p.prompt)} {p.chosen}", "rejected": f"{prompt_text(p.prompt)} {p.rejected}"}
            for p in pairs
        ]
        settings = RewardConfig(
            folder, per_device_train_batch_size=16, max_steps=STEPS, use_cpu=True, report_to="none", disable_tqdm=True,
            save_strategy="no",
        )  # fmt: skip
        RewardTrainer(network, settings, processing_class=tokenizer, train_dataset=Dataset.from_list(rows)).train()

    def ours(frozen: int) -> None:
        network, tokenizer = load_network(locate("all-MiniLM-L6-v2"))
        freeze(network, frozen)
        encoded = encode_pairs(tokenizer, pairs, 512)
        config = replace(configured("quick"), epochs=STEPS * 16 / PAIRS)
        PairTrainer(network, arguments(config, folder), tokenizer, encoded, encoded).train()

    name = f"Train {STEPS} steps of 16 pairs"
    yield name + ", all layers", "TRL's RewardTrainer, its defaults", stock, lambda: ours(-1), 2
    yield name + ", upper 3 of 6 (Quick)", "TRL's RewardTrainer, its defaults", stock, lambda: ours(3), 2
