"""Read one cell or a few of a row: text, messages, a choice, a strength. Whatever cannot be used raises RowError."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..records import Choice, Comparison, Prompt

Row = Mapping[str, Any]
SURROGATE = re.compile("[\ud800-\udfff]")


class RowError(ValueError):
    """This row cannot be a comparison; the message says why and is counted in the import's report."""


PROMPT = ("prompt", "instruction", "question", "input")
RESPONSE_A = ("response_a", "response-1", "response_1", "response1")
RESPONSE_B = ("response_b", "response-2", "response_2", "response2")
JUDGEMENT = ("judgement", "judgment", "preference", "choice", "winner")
STRENGTH = ("strength", "margin", "preference_strength")
ID = ("id", "external_id")

CHOICE_WORDS: dict[str, Choice] = {
    **dict.fromkeys(
        ("a", "1", "left", "first", "response a", "response 1", "response_a", "response-1", "response_1"), "a"
    ),
    **dict.fromkeys(
        ("b", "2", "right", "second", "response b", "response 2", "response_b", "response-2", "response_2"), "b"
    ),
    **dict.fromkeys(("tie", "equal", "both", "same"), "tie"),
    **dict.fromkeys(("skip", "discard", "discarded"), "skip"),
}


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def text_of(row: Row, names: Iterable[str], what: str) -> str:
    value = first(row, names)
    if value is None:
        raise RowError(f"{what} is missing")
    if isinstance(value, (int, float)):
        value = str(value)
    if not isinstance(value, str):
        raise RowError(f"{what} is not text")
    if not value.strip():
        raise RowError(f"{what} is empty")
    return clean(value)


def clean(text: str) -> str:
    """Return text that UTF-8 can hold: half of a surrogate pair, which some exports leave, becomes U+FFFD."""
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def first(row: Row, names: Iterable[str]) -> Any:
    """Return the first of the named columns that holds something; NaN is how tables say nothing."""
    name = column(row, names)
    return None if name is None else row[name]


def column(row: Row, names: Iterable[str]) -> str | None:
    """Return the name of the first of the named columns that holds something."""
    return next((name for name in names if row.get(name) is not None and row[name] == row[name]), None)


def annotator_of(row: Row) -> str:
    return clean(str(row.get("annotator") or ""))


def used_of(row: Row, *names: Iterable[str]) -> list[str]:
    """Return which column of each group of names was read; a second one (`input` beside `instruction`) is kept."""
    return [name for each in names if (name := column(row, each))]


def messages_of(value: Any, what: str) -> list[dict[str, str]]:
    """Return chat messages with nothing but role and text."""
    value = list(value) if not isinstance(value, (str, Mapping)) else value
    messages = []
    for turn in value:
        if not isinstance(turn, Mapping) or not is_text(turn.get("content")) or not is_text(turn.get("role")):
            raise RowError(f"{what} is not a list of messages with role and content")
        messages.append({"role": clean(turn["role"]), "content": clean(turn["content"])})
    if not messages:
        raise RowError(f"{what} is empty")
    return messages


def is_messages(value: Any) -> bool:
    """Whether this is a list; Parquet hands lists over as arrays."""
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes, Mapping))


def prompt_of(row: Row) -> Prompt:
    value = first(row, PROMPT)
    return messages_of(value, "the prompt") if is_messages(value) else text_of(row, PROMPT, "the prompt")


def digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=str).encode("utf-8", "replace")).hexdigest()


def rest(row: Row, used: Iterable[str]) -> dict[str, Any]:
    """Return the columns that the layout did not use, as metadata that JSON can hold."""
    used = set(used)
    return {
        clean(key): plain(value)
        for key, value in row.items()
        if key not in used and value is not None and value != "" and value == value
    }


def plain(value: Any) -> Any:
    """Return a value as JSON has it, its texts such that UTF-8 can hold them."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(item) for key, item in value.items()}
    if is_messages(value):
        return [plain(item) for item in value]
    return str(value)


def row_id(row: Row, *content: Any) -> str:
    """Return the id the row brings, else one made from its content."""
    given = first(row, ID)
    return clean(str(given))[:200] if given is not None and str(given).strip() else digest(*content)[:16]


def sided(row: Row, prompt: Prompt, a: str, b: str, used: Iterable[str]) -> Comparison:
    """Return a comparison whose source says which response stands where."""
    if a == b:
        raise RowError("the two responses are the same text")
    return Comparison(row_id(row, prompt, a, b), prompt, a, b, rest(row, [*used, *ID]))


def unsided(row: Row, prompt: Prompt, chosen: str, rejected: str, used: Iterable[str]) -> tuple[Comparison, Choice]:
    """Place a chosen and a rejected response on sides by a hash of the row, so that A does not always win.

    The id depends on the two texts, not on which won: two rows that contradict each other are two votes on one
    comparison.
    """
    a, b = sorted((chosen, rejected))
    identity = row_id(row, prompt, a, b)
    if int(digest(identity)[0], 16) % 2:
        a, b = b, a
    choice: Choice = "a" if a == chosen else "b"
    if a == b:
        raise RowError("the two responses are the same text")
    return Comparison(identity, prompt, a, b, rest(row, [*used, *ID])), choice


def strength_of(row: Row) -> float | None:
    value = first(row, STRENGTH)
    try:
        number = abs(float(value))
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def choice_of(value: Any) -> Choice | None:
    """Return the choice that a word or number in a file means, or None: nothing is guessed."""
    word = str(value).strip().lower()
    return CHOICE_WORDS.get(word.removesuffix(".0"))  # 1 and 2 become 1.0 and 2.0 in a column with gaps
