"""A run's events: one JSON object a line, appended by its worker, read by anyone at any time."""

import json
import os
import time
from pathlib import Path
from typing import Any, Literal

Kind = Literal["started", "preparing", "step", "evaluated", "saved", "finished", "stopped", "failed"]
ENDS = ("finished", "stopped", "failed")
Event = dict[str, Any]
"""`{"event": Kind, "at": seconds since 1970, …}`; the other names depend on the kind."""


def append(folder: Path, event: Kind, **values: Any) -> None:
    """Append an event in one write, so that a reader sees all of it or nothing."""
    line = json.dumps({"event": event, "at": time.time(), **values}) + "\n"
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        if event in ENDS:
            os.fsync(file.fileno())


TAIL = 64 * 1024


def last(folder: Path) -> list[Event]:
    """Return the newest events, of the last TAIL bytes: enough to know how a run stands."""
    path = folder / "events.jsonl"
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        cut_off = file.tell() > 0
        lines = file.read().rpartition(b"\n")[0].splitlines()
    return [json.loads(line) for line in lines[cut_off:] if line.strip()]


def read(folder: Path) -> list[Event]:
    """Return the events so far; a last line that is still being written is not one yet."""
    path = folder / "events.jsonl"
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line.strip()]
