"""Everything that decides a training run, in one record: the form, the flags and the saved config are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import BadInput
from ..reward.base_models import EMBEDDED


def setting(default: Any, help: str, **bounds: Any) -> Any:
    """Declare a field with what a form and a flag need to know of it."""
    return field(default=default, metadata={"help": help, **bounds})


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. A preset fills in those that trade time for quality."""

    dataset: str = setting("sample", "the dataset to learn from")
    base: str = setting(EMBEDDED, "the base model: a name, a Hub id or a folder")
    preset: str = setting("quick", "how long to train", choices=("quick", "balanced", "full"))
    epochs: float = setting(3.0, "how many times every pair is seen", minimum=0.1, maximum=100)
    learning_rate: float = setting(1e-4, "the highest step size; too high forgets, too low learns little",
                                   minimum=1e-7, maximum=1e-2)  # fmt: skip
    batch_size: int = setting(16, "pairs a step", minimum=1, maximum=1024)
    max_length: int = setting(256, "tokens read of prompt and response together", minimum=16, maximum=8192)
    frozen_layers: int = setting(0, "lower layers left as they are, with the embeddings; −1 leaves nothing as it is",
                                 minimum=-1, maximum=128)  # fmt: skip
    split_by: str = setting("auto", "what must not stand on both sides of the split; auto is the topic where there is "
                            "one, else the prompt", choices=("auto", "prompt", "topic"))  # fmt: skip
    held_out: float = setting(0.2, "share of the pairs kept for the final evaluation", minimum=0.05, maximum=0.5)
    held_out_topics: tuple[str, ...] = setting((), "topics kept for the final evaluation, instead of a share")
    center_rewards_coefficient: float = setting(0.01, "pulls rewards towards zero, so that they are easier to read; 0 does "
                                                "not", minimum=0.0, maximum=1.0)  # fmt: skip
    seed: int = setting(42, "the same seed gives the same run", minimum=0, maximum=2**31 - 1)

    def __post_init__(self) -> None:
        for each in fields(self):
            check(each.name, getattr(self, each.name), each.metadata)


PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"epochs": 2.0, "learning_rate": 3e-4, "frozen_layers": 3},
    "balanced": {"epochs": 5.0, "learning_rate": 1e-4, "frozen_layers": -1},
    "full": {"epochs": 8.0, "learning_rate": 1e-4, "frozen_layers": -1, "max_length": 512},
}


def check(name: str, value: Any, rules: Mapping[str, Any]) -> None:
    """Raise BadInput if a setting is out of its bounds."""
    if "choices" in rules and value not in rules["choices"]:
        raise BadInput(f"{name} is {value!r}; it is one of {', '.join(rules['choices'])}.")
    if "minimum" in rules and not rules["minimum"] <= value <= rules["maximum"]:
        raise BadInput(f"{name} is {value}; it goes from {rules['minimum']} to {rules['maximum']}.")


def configured(preset: str = "quick", **given: Any) -> TrainingConfig:
    """Return a preset's settings with those given on top; None means not given. Raises BadInput."""
    if preset not in PRESETS:
        raise BadInput(f"preset is {preset!r}; it is one of {', '.join(PRESETS)}.")
    own = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value not in (None, [])
    }
    return replace(TrainingConfig(preset=preset), **{**PRESETS[preset], **own})


def from_dict(values: Mapping[str, Any]) -> TrainingConfig:
    """Return the config that a saved JSON object describes. Raises BadInput on a name it does not know."""
    known = {each.name for each in fields(TrainingConfig)}
    if unknown := set(values) - known:
        raise BadInput(f"Unknown settings: {', '.join(sorted(unknown))}.")
    own: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return TrainingConfig(**own)
