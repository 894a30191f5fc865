"""TRL's RewardTrainer on texts that we encoded ourselves.

What differs from the stock trainer, each by a hook of its own: the collator brings token types and reads each distinct
text of a batch once; the batches come from `batching`; a tie has the target ½; evaluation is exact over pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader
from transformers import PrinterCallback
from trl import RewardConfig, RewardTrainer

from ..records import PreferencePair, Prompt
from ..reward.encoding import Encoded, collate, encode
from ..reward.reward_model import rewards_of
from .batching import PairBatches
from .config import TrainingConfig

TEXTS_A_PART = 8
"""Texts that go through the network together on a CPU."""


@dataclass(frozen=True)
class EncodedPairs:
    """Pairs whose texts are encoded, each distinct (prompt, response) once."""

    texts: list[Encoded]
    pairs: list[tuple[int, int]]
    targets: list[float]

    @property
    def truncated(self) -> int:
        """How many distinct texts lost tokens."""
        return sum(text.truncated > 0 for text in self.texts)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return what TRL's dataset wants to see, and the indexes that the collator goes by."""
        return [
            {"chosen_ids": [chosen], "rejected_ids": [rejected], "target": target}
            for (chosen, rejected), target in zip(self.pairs, self.targets, strict=True)
        ]


def encode_pairs(tokenizer: Any, pairs: Sequence[PreferencePair], max_length: int) -> EncodedPairs:
    """Encode the texts of pairs, each distinct one once."""
    indexes: dict[tuple[str, str], int] = {}
    items: list[tuple[Prompt, str]] = []
    numbered = []
    for pair in pairs:
        numbers = []
        for response in (pair.chosen, pair.rejected):
            key = (repr(pair.prompt), response)
            if key not in indexes:
                indexes[key] = len(items)
                items.append((pair.prompt, response))
            numbers.append(indexes[key])
        numbered.append((numbers[0], numbers[1]))
    return EncodedPairs(encode(tokenizer, items, max_length), numbered, [pair.target for pair in pairs])


@dataclass(frozen=True)
class PairCollator:
    """Make a batch of pairs: its distinct texts, and which of them are each pair's chosen and rejected.

    The texts come in parts of like length, each padded to its own longest: on a CPU that saves a fifth of the work. With
    `texts_a_part` 0 they are one part, as a GPU likes it.
    """

    tokenizer: Any
    texts: Sequence[Encoded]
    texts_a_part: int = 0

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        chosen = [row["chosen_ids"][0] for row in rows]
        rejected = [row["rejected_ids"][0] for row in rows]
        distinct = sorted(dict.fromkeys(chosen + rejected), key=lambda text: len(self.texts[text].input_ids))
        place = {text: index for index, text in enumerate(distinct)}
        size = self.texts_a_part or len(distinct)
        parts = [[self.texts[text] for text in distinct[at : at + size]] for at in range(0, len(distinct), size)]
        return {
            "parts": [collate(self.tokenizer, part) for part in parts],
            "chosen": torch.tensor([place[text] for text in chosen]),
            "rejected": torch.tensor([place[text] for text in rejected]),
            "target": torch.tensor([row["target"] for row in rows]),
        }


def pair_loss(margins: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of σ(margin) to the target: −log σ(margin) for a win, and for a tie its soft label ½.

    The win is Ouyang et al., Training language models to follow instructions with human feedback (2022), equation 1.
    `margins` and `targets` have shape (pairs,).
    """
    return binary_cross_entropy_with_logits(margins, targets.to(margins.dtype))


def centring(rewards: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
    """Return the mean of (reward(chosen) + reward(rejected))² over pairs: what keeps rewards around zero.

    Eisenstein et al., Helping or Herding? (2023), equation 2; TRL's `center_rewards_coefficient`.
    """
    return ((rewards[inputs["chosen"]] + rewards[inputs["rejected"]]) ** 2).mean()


def pair_metrics(margins: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    """Return accuracy over the pairs that are no tie (NaN where all are), and their mean margin."""
    wins = margins[targets > 0.5]
    right = (wins > 0).float() + 0.5 * (wins == 0).float()
    return {"accuracy": right.mean().item(), "margin": wins.mean().item()}


class PairTrainer(RewardTrainer):
    """RewardTrainer for EncodedPairs."""

    def __init__(
        self, model: Any, args: RewardConfig, tokenizer: Any, train: EncodedPairs, validation: EncodedPairs, **rest: Any
    ) -> None:
        from datasets import Dataset

        self.encoded_train, self.encoded_validation = train, validation
        super().__init__(
            model=model,
            args=args,
            processing_class=tokenizer,
            data_collator=PairCollator(tokenizer, train.texts, TEXTS_A_PART if args.device.type == "cpu" else 0),
            train_dataset=Dataset.from_list(train.rows),
            **rest,
        )
        self.remove_callback(PrinterCallback)  # the worker tells each step itself

    @property
    def tokens_seen(self) -> int:
        """How many tokens were trained on, padding not counted."""
        return self._total_train_tokens

    def get_train_dataloader(self) -> DataLoader:
        lengths = [len(text.input_ids) for text in self.encoded_train.texts]
        batches = PairBatches(self.encoded_train.pairs, lengths, self.args.per_device_train_batch_size, self.args.seed)
        loader = DataLoader(self.train_dataset, batch_sampler=batches, collate_fn=self.data_collator)  # type: ignore[arg-type]
        return self.accelerator.prepare(loader)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        targets = inputs["target"]
        rewards = torch.cat([model(**part).logits.squeeze(-1) for part in inputs["parts"]])
        margins = rewards[inputs["chosen"]] - rewards[inputs["rejected"]]
        loss = pair_loss(margins, targets)
        if coefficient := getattr(self.args, "center_rewards_coefficient", None):
            loss = loss + coefficient * centring(rewards, inputs)
        self._total_train_tokens += sum(int(part["attention_mask"].sum()) for part in inputs["parts"])
        seen = {
            **pair_metrics(margins.detach(), targets),
            "mean_reward": rewards.detach().mean().item(),
            "pairs": len(margins),
        }
        for name, value in seen.items():
            if value == value:  # a batch of ties alone has no accuracy
                self._metrics["train"][name].append(value)
        self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
        return (loss, {"logits": rewards}) if return_outputs else loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return loss, accuracy and margin over the validation pairs, exactly, each distinct text read once."""
        margins = self.margins(self.encoded_validation)
        targets = torch.tensor(self.encoded_validation.targets)
        metrics = {"loss": pair_loss(margins, targets).item(), **pair_metrics(margins, targets)}
        logged = {f"eval_{name}": value for name, value in metrics.items()}
        self.log(logged)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, logged)
        return logged

    def margins(self, encoded: EncodedPairs) -> torch.Tensor:
        """Return reward(chosen) − reward(rejected) of each pair, shape (pairs,), by the network as it is now."""
        network: Any = self.model
        training = network.training
        network.eval()
        rewards = torch.tensor(rewards_of(network, self.processing_class, encoded.texts))
        network.train(training)
        pairs = torch.tensor(encoded.pairs, dtype=torch.long).reshape(-1, 2)
        return rewards[pairs[:, 0]] - rewards[pairs[:, 1]]


def freeze(network: Any, layers: int) -> int:
    """Leave the embeddings and this many lower layers as they are (−1: nothing); return the parameters left to train."""
    if layers >= 0:
        body = getattr(network, network.base_model_prefix)
        for parameter in embeddings(body):
            parameter.requires_grad = False
        for layer in layer_list(body)[:layers]:
            layer.requires_grad_(False)
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def embeddings(body: Any) -> list[Any]:
    holder = getattr(body, "embeddings", None) or body.get_input_embeddings()
    return list(holder.parameters())


def layer_list(body: Any) -> Any:
    """Return the transformer's layers, whatever its family calls them."""
    for path in ("encoder.layer", "transformer.layer", "layers", "h"):
        found = body
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is not None:
            return found
    return []


def arguments(config: TrainingConfig, folder: str) -> RewardConfig:
    """Return TRL's settings for a config; precision and checkpointing follow the device.

    On a CPU fp32 without checkpointing is fastest by far; on a GPU that has it, bf16.
    """
    gpu = torch.cuda.is_available()
    return RewardConfig(
        output_dir=folder,
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        per_device_train_batch_size=config.batch_size,
        warmup_steps=0.1,
        lr_scheduler_type="linear",
        weight_decay=0.01,
        seed=config.seed,
        bf16=gpu and torch.cuda.is_bf16_supported(),
        activation_checkpointing=False,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        max_length=None,
        center_rewards_coefficient=config.center_rewards_coefficient,
        remove_unused_columns=False,
        eval_strategy="no",
        save_strategy="no",
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )
