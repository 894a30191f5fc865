"""The nouns: what every module passes to the next. Frozen, plain, no I/O."""

from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Choice = Literal["a", "b", "tie", "skip"]
CHOICES: tuple[Choice, ...] = ("a", "b", "tie", "skip")

Message = dict[str, str]
"""One turn of a conversation: `{"role": "user", "content": "…"}`."""

Prompt = str | list[Message]
"""What the responses answer: a text, or the messages up to it."""


def prompt_text(prompt: Prompt) -> str:
    """Return a prompt as one text: a single user turn is its content, more turns are labelled by their roles."""
    if isinstance(prompt, str):
        return prompt
    if len(prompt) == 1 and prompt[0]["role"] == "user":
        return prompt[0]["content"]
    return "\n\n".join(f"{turn['role'].capitalize()}: {turn['content']}" for turn in prompt)


@dataclass(frozen=True)
class Comparison:
    """One prompt and two responses to it. `metadata` keeps the file's other columns."""

    id: str
    prompt: Prompt
    response_a: str
    response_b: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """The column that says what kind of comparison this is, or an empty text."""
        for column in ("category", "topic", "subset", "domain"):
            if self.metadata.get(column):
                return str(self.metadata[column])
        return ""


def now() -> str:
    """Return the time as text, UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Annotation:
    """One person's judgement of one comparison; `strength` is how much better, where the source says so."""

    comparison_id: str
    annotator: str
    choice: Choice
    strength: float | None = None
    note: str = ""
    created_at: str = field(default_factory=now)
    source: str = "app"


@dataclass(frozen=True)
class Dataset:
    """A stored set of comparisons, as its `dataset.json` describes it."""

    name: str
    comparisons: int
    source: str
    layout: str
    created_at: str
    description: str = ""
    split_column: str = ""
    """The metadata column whose values must not stand on both sides of a split (`topic`), or empty."""


@dataclass(frozen=True)
class PreferencePair:
    """What a reward model learns from. A tie has `target` ½ (its `chosen` is then side A), a win 1."""

    comparison_id: str
    prompt: Prompt
    chosen: str
    rejected: str
    target: float = 1.0
    chosen_side: Literal["a", "b"] = "a"
    category: str = ""
    group: str = ""
    """What a split keeps together: the prompt, or the topic."""


@dataclass(frozen=True)
class Score:
    """A reward for one response: a real number without unit, comparable within one model only.

    `tokens` counts what the model read, `truncated` what it did not.
    """

    prompt: Prompt
    response: str
    reward: float
    tokens: int
    truncated: int


def as_json_value(value: Any) -> Any:
    """Return a value as JSON has it; NaN, which JSON has not, becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: as_json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json_value(item) for item in value]
    return None if isinstance(value, float) and value != value else value
