"""A run's events: whole lines, in order, readable while they are written."""

import json
import os
import time
from pathlib import Path

import pytest

from rlhf_app.training import events


def test_events_are_read_in_the_order_told(tmp_path: Path) -> None:
    events.append(tmp_path, "started", total_steps=3)
    events.append(tmp_path, "step", step=1, metrics={"loss": 0.7})
    events.append(tmp_path, "finished")
    told = events.read(tmp_path)
    assert [event["event"] for event in told] == ["started", "step", "finished"]
    assert (told[0]["total_steps"], told[1]["metrics"]) == (3, {"loss": 0.7})


def test_a_run_that_told_nothing_has_no_events(tmp_path: Path) -> None:
    assert events.read(tmp_path) == []
    (tmp_path / "events.jsonl").touch()
    assert events.read(tmp_path) == []


@pytest.mark.parametrize("half", [b'{"event": "fini', b'{"event": "finished", "at": 1.0}', b"\xf0\x9f"])
def test_a_last_line_without_its_end_is_not_told_yet(tmp_path: Path, half: bytes) -> None:
    events.append(tmp_path, "started", total_steps=3)
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(half)
    assert [event["event"] for event in events.read(tmp_path)] == ["started"]


def test_the_half_line_counts_once_its_end_has_come(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    line = json.dumps({"event": "finished", "at": 1.0}).encode()
    path.write_bytes(line[:9])
    assert events.read(tmp_path) == []
    with path.open("ab") as file:
        file.write(line[9:] + b"\n")
    assert events.read(tmp_path) == [{"event": "finished", "at": 1.0}]


def test_an_event_says_when_it_was(tmp_path: Path) -> None:
    before = time.time()
    events.append(tmp_path, "preparing")
    assert before <= events.read(tmp_path)[0]["at"] <= time.time()


def test_a_message_of_many_lines_and_scripts_stays_one_event(tmp_path: Path) -> None:
    message = "first\nsecond\u2028third 你好 \udcff" + os.linesep
    events.append(tmp_path, "failed", message=message)
    events.append(tmp_path, "stopped")
    assert [event.get("message") for event in events.read(tmp_path)] == [message, None]
