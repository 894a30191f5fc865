"""Recognise a preference file by its columns, and read its rows as comparisons with their votes.

`LAYOUTS` is the whole knowledge: a layout is a name, the columns that give it away, and a reader of one row. The first
layout whose columns are all there wins, so the more demanding ones stand first. To support another, add a row.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..records import Choice, Comparison, Prompt
from .cells import (
    ID,
    JUDGEMENT,
    PROMPT,
    RESPONSE_A,
    RESPONSE_B,
    STRENGTH,
    Row,
    RowError,
    annotator_of,
    choice_of,
    clean,
    first,
    is_messages,
    messages_of,
    plain,
    prompt_of,
    rest,
    sided,
    strength_of,
    text_of,
    unsided,
    used_of,
)


class Vote(NamedTuple):
    """A judgement that stands in the file. An empty annotator is the file itself."""

    annotator: str
    choice: Choice
    strength: float | None = None


@dataclass(frozen=True)
class Reading:
    """One row, read: a comparison, the votes on it, and what had to be left aside."""

    comparison: Comparison
    votes: list[Vote] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """A way to write preferences down. Each of `columns` is a set of names, one of which must be there."""

    name: str
    columns: tuple[frozenset[str], ...]
    read: Callable[[Row], Reading]

    def fits(self, columns: Iterable[str]) -> bool:
        present = {column.lower() for column in columns}
        return all(present & names for names in self.columns)


def recognise(columns: Iterable[str]) -> Layout | None:
    """Return the layout that these columns belong to, or None."""
    columns = list(columns)
    return next((layout for layout in LAYOUTS if layout.fits(columns)), None)


def read_comparison(row: Row) -> Reading:
    used = used_of(row, PROMPT, RESPONSE_A, RESPONSE_B, JUDGEMENT)
    said = first(row, JUDGEMENT)
    judged = said is not None and str(said).strip() != ""
    used += [*STRENGTH, "annotator"] if judged else []
    a, b = text_of(row, RESPONSE_A, "response A"), text_of(row, RESPONSE_B, "response B")
    comparison = sided(row, prompt_of(row), a, b, used)
    if not judged:
        return Reading(comparison)
    choice = choice_of(said)
    if choice is None:
        return Reading(comparison, remarks=["kept without its judgement, which names no side"])
    return Reading(comparison, [Vote(annotator_of(row), choice, strength_of(row))])


def read_votes(row: Row) -> Reading:
    a, b = text_of(row, RESPONSE_A, "response A"), text_of(row, RESPONSE_B, "response B")
    comparison = sided(row, prompt_of(row), a, b, [*used_of(row, PROMPT, RESPONSE_A, RESPONSE_B), "votes"])
    votes, remarks = [], []
    for vote in row.get("votes") or []:
        choice = choice_of(vote.get("choice"))
        if choice:
            votes.append(Vote(annotator_of(vote), choice))
        else:
            remarks.append("vote left out: its choice names no side")
    return Reading(comparison, votes, remarks)


def read_explicit(row: Row) -> Reading:
    """TRL with a prompt column; chosen and rejected are texts, or messages that may repeat the prompt."""
    chosen, rejected = row.get("chosen"), row.get("rejected")
    prompt = prompt_of(row)
    if is_messages(chosen) and is_messages(rejected):
        chosen, rejected = (
            answer(prompt, messages_of(value, name), name)
            for value, name in ((chosen, "chosen"), (rejected, "rejected"))
        )
    return judged(row, prompt, chosen, rejected)


def answer(prompt: Prompt, messages: list[dict[str, str]], what: str) -> str:
    """Return the one message that answers the prompt; before it may stand the prompt again, and nothing else."""
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    before = [(turn["role"], turn["content"].strip()) for turn in messages[:-1]]
    if before and before != [(turn["role"], turn["content"].strip()) for turn in turns]:
        raise RowError(f"{what} has messages before its last that are not the prompt")
    return messages[-1]["content"]


def read_implicit(row: Row) -> Reading:
    """TRL without a prompt column, and HH-RLHF: what both have in common is the prompt."""
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if is_messages(chosen) and is_messages(rejected):
        return judged(row, *common_messages(messages_of(chosen, "chosen"), messages_of(rejected, "rejected")))
    chosen, rejected = text_of(row, ["chosen"], "chosen"), text_of(row, ["rejected"], "rejected")
    if chosen.lstrip().startswith("Human:") and rejected.lstrip().startswith("Human:"):
        return judged(row, *common_transcript(chosen, rejected))
    return judged(row, *common_text(chosen, rejected))


def judged(row: Row, prompt: Prompt, chosen: Any, rejected: Any) -> Reading:
    texts = {"chosen": chosen, "rejected": rejected}
    chosen, rejected = (text_of(texts, [name], name) for name in texts)
    comparison, choice = unsided(
        row, prompt, chosen, rejected, [*used_of(row, PROMPT), "chosen", "rejected", *STRENGTH, "annotator"]
    )
    return Reading(comparison, [Vote(annotator_of(row), choice, strength_of(row))])


def common_messages(chosen: list, rejected: list) -> tuple[Prompt, str, str]:
    same = common_length(chosen, rejected)
    same = min(same, len(chosen) - 1, len(rejected) - 1)
    if same < 1:
        raise RowError("chosen and rejected do not begin with the same message, so there is no prompt")
    if len(chosen) - same > 1 or len(rejected) - same > 1:
        raise RowError("chosen and rejected differ in more than their last message")
    return chosen[:same], chosen[-1]["content"], rejected[-1]["content"]


TURN = re.compile(r"\n\n(Human|Assistant):")


def transcript(text: str) -> list[dict[str, str]]:
    """Return an HH-RLHF transcript as messages."""
    parts = TURN.split("\n\n" + text.lstrip())
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[speaker], "content": content.strip()}
        for speaker, content in zip(parts[1::2], parts[2::2], strict=True)
    ]


def common_transcript(chosen: str, rejected: str) -> tuple[Prompt, str, str]:
    one, other = transcript(chosen), transcript(rejected)
    if one[-1]["role"] != "assistant" or other[-1]["role"] != "assistant":
        raise RowError("the transcript does not end with the assistant")
    prompt, better, worse = common_messages(one, other)
    return prompt, better, worse


def common_text(chosen: str, rejected: str) -> tuple[Prompt, str, str]:
    """Cut the common beginning off two texts, back to the last line or sentence that both share whole."""
    same = common_length(chosen, rejected)
    cut = max(chosen.rfind(mark, 0, same) + len(mark) for mark in ("\n", ". ", "? ", "! ", ": "))
    prompt = chosen[:cut]
    if cut < 2 or not prompt.strip():
        raise RowError("chosen and rejected have no common beginning, so there is no prompt")
    return prompt.strip(), chosen[cut:].strip(), rejected[cut:].strip()


def common_length(one: Sequence, other: Sequence) -> int:
    return next((i for i, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), min(len(one), len(other)))


def argilla_fields(row: Row) -> Row:
    """Return the record's own fields on top; Argilla 1.x and 2.x put them in `fields` or beside it."""
    fields = row.get("fields")
    fields = json.loads(fields) if isinstance(fields, str) else fields
    return {**row, **fields} if isinstance(fields, Mapping) else row


def argilla_comparison(row: Row) -> Comparison:
    flat = argilla_fields(row)
    a, b = text_of(flat, RESPONSE_A, "response-1"), text_of(flat, RESPONSE_B, "response-2")
    metadata = row.get("metadata")
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata or "{}")
        except ValueError:
            metadata = {"metadata": metadata}
    own = {key: value for key, value in flat.items() if not key.startswith("choose-best") and key not in ARGILLA_OWN}
    identity = {name: row.get(name) for name in ("external_id", "id")}
    comparison = sided(identity, prompt_of(flat), a, b, ())
    used = {*PROMPT, *RESPONSE_A, *RESPONSE_B, *ID}
    extra = {**rest(own, used), **(plain(metadata) if isinstance(metadata, Mapping) else {})}
    return Comparison(comparison.id, comparison.prompt, a, b, extra)


ARGILLA_OWN = {"fields", "metadata", "external_id", "status", "_server_id", "vectors"}


def argilla_reading(row: Row, answers: Iterable[tuple[Any, Any, Any]]) -> Reading:
    """Return a record with the answers that count: submitted ones, and discards as skips."""
    votes, remarks = [], []
    for number, (user, value, status) in enumerate(answers, 1):
        annotator = clean(str(user)) if user else f"unknown user {number}"
        status = str(status or "submitted")
        if status == "discarded":
            votes.append(Vote(annotator, "skip"))
        elif status != "submitted":
            remarks.append(f"answer left out: its status is '{status}'")
        elif choice := argilla_choice(value):
            votes.append(Vote(annotator, choice))
        else:
            remarks.append("answer left out: it names no side")
    return Reading(argilla_comparison(row), votes, remarks)


def argilla_choice(value: Any) -> Choice | None:
    """A label, a rating (1, 2), or a ranking `[{rank, value}]` in which equal ranks are a tie."""
    if not is_messages(value):
        return choice_of(value)
    ranks = {choice_of(item.get("value")): item.get("rank") for item in value if isinstance(item, Mapping)}
    a, b = ranks.get("a"), ranks.get("b")
    if a is None or b is None:
        return None
    return "tie" if a == b else "a" if a < b else "b"


def read_argilla_1(row: Row) -> Reading:
    """`choose-best` is a dict of parallel lists, or a list of dicts."""
    answers = row["choose-best"]
    if isinstance(answers, str):
        answers = json.loads(answers)
    if isinstance(answers, Mapping):
        users, values = answers.get("user_id"), answers.get("value")
        values = [] if values is None else list(values)
        users = [None] * len(values) if users is None else list(users)
        statuses = answers.get("status")
        statuses = ["submitted"] * len(values) if statuses is None else list(statuses)
        return argilla_reading(row, zip(users, values, statuses, strict=True))
    answers = [] if answers is None else answers
    return argilla_reading(row, [(each.get("user_id"), each.get("value"), each.get("status")) for each in answers])


def read_argilla_2(row: Row) -> Reading:
    lists = [row.get(f"choose-best.responses{part}") for part in (".users", "", ".status")]
    lists = [json.loads(each) if isinstance(each, str) and each else each or None for each in lists]
    users, values, statuses = ([] if each is None else list(each) for each in lists)
    values = values or [None] * len(users)
    statuses = statuses or ["submitted"] * len(users)
    return argilla_reading(row, zip(users, values, statuses, strict=True))


def named(*names: str | tuple[str, ...]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset([name] if isinstance(name, str) else name) for name in names)


LAYOUTS: tuple[Layout, ...] = (
    Layout("Argilla 2.x export", named("choose-best.responses"), read_argilla_2),
    Layout("Argilla 1.x export", named("choose-best"), read_argilla_1),
    Layout("Comparison with votes", named(PROMPT, RESPONSE_A, RESPONSE_B, "votes"), read_votes),
    Layout("Comparison", named(PROMPT, RESPONSE_A, RESPONSE_B), read_comparison),
    Layout("Chosen and rejected, with prompt (TRL)", named(PROMPT, "chosen", "rejected"), read_explicit),
    Layout("Chosen and rejected, prompt inside (TRL, HH-RLHF)", named("chosen", "rejected"), read_implicit),
)
