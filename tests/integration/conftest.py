"""What the integration tests share: the command line as a process, and one small trained run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rlhf_app.data.importing import keep, stage
from rlhf_app.errors import NotFound
from rlhf_app.store import Store
from rlhf_app.training import runs

ROOT = Path(__file__).parents[2]
SHORT = ("--epochs", "0.7", "--batch-size", "4", "--max-length", "32")


def tiny_rows(name: str = "plant") -> list[dict[str, str]]:
    """Forty comparisons of twenty prompts; a friendly answer wins, and it is the longer one only half the time."""
    return [
        {
            "prompt": f"How do I care for {name} number {number % 20}?",
            "chosen": f"Gladly! Water it every {number + 2} days." + " It likes light." * (number % 2),
            "rejected": f"No idea, look it up yourself in book {number}, please.",
        }
        for number in range(40)
    ]


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def until(happens: Callable[[], Any], seconds: float = 120) -> Any:
    """Return what the call returns as soon as it is true; fail when the time is over."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def command(home: Path, *words: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run `python -m rlhf_app` on a home, with what is typed on its stdin."""
    environment = {**os.environ, "RLHF_APP_HOME": str(home), "USER": "ada"}
    arguments = [sys.executable, "-m", "rlhf_app", *map(str, words)]
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, input=typed, capture_output=True, text=True, timeout=300, check=False
    )


def result(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON object on the last line of a command's stdout."""
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def end_all(store: Store) -> None:
    """Kill the workers that still live."""
    for run in runs.every(store):
        if run.pid:
            with suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGKILL)
        runs.wait(store, run.id, 20)


@dataclass(frozen=True)
class Trained:
    """A store whose dataset `tiny` has trained one run by `train --json`, and what that command said."""

    store: Store
    run: str
    said: subprocess.CompletedProcess[str]

    @property
    def folder(self) -> Path:
        return self.store.run(self.run)

    def do(self, *words: object, typed: str = "") -> subprocess.CompletedProcess[str]:
        return command(self.store.home, *words, typed=typed)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """One short run of the embedded model, trained once for all tests."""
    folder = tmp_path_factory.mktemp("trained")
    store = Store(folder / "home")
    command(store.home, "import", write_rows(folder / "rows.jsonl", tiny_rows()), "--name", "tiny")
    said = command(store.home, "train", "tiny", *SHORT, "--json")
    run = runs.newest_model(store).id if said.returncode == 0 else ""
    if not run:
        raise NotFound(f"The run has no model: {said.stderr}")
    yield Trained(store, run, said)
    end_all(store)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Store]:
    """A store with the dataset `tiny`, whose runs are ended with the test."""
    store = Store(tmp_path / "home")
    keep(store, stage(store, write_rows(tmp_path / "rows.jsonl", tiny_rows())), "tiny")
    yield store
    end_all(store)
