"""A run's state is derived: from its events, and from a lock that a living process holds."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from rlhf_app.errors import BadInput, Busy, NotFound
from rlhf_app.store import Store, write_json
from rlhf_app.training import events, runs
from rlhf_app.training.config import TrainingConfig, configured

HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def worker_of(folder: Path) -> Iterator[subprocess.Popen]:
    """A real process that holds a run's lock, as its worker does."""
    command = [sys.executable, "-c", HOLD, str(folder / "worker.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        write_json(folder / "pid.json", process.pid)
        try:
            yield process
        finally:
            process.kill()


def made(store: Store, name: str = "run-1", **settings: object) -> Path:
    """Make a run's folder as `start` leaves it, without its worker."""
    folder = store.runs / name
    folder.mkdir()
    write_json(folder / "config.json", asdict(configured(**settings)))  # type: ignore[arg-type]
    return folder


def test_a_run_that_holds_its_lock_and_told_nothing_is_queued(store: Store) -> None:
    with worker_of(made(store)) as worker:
        run = runs.get(store, "run-1")
        assert (run.state, run.alive, run.pid, run.has_model) == ("queued", True, worker.pid, False)
        assert runs.progress(store, "run-1").stage == "Waiting for its turn"


def test_a_run_that_holds_its_lock_and_told_something_is_running(store: Store) -> None:
    folder = made(store)
    with worker_of(folder):
        events.append(folder, "preparing")
        assert runs.get(store, "run-1").state == "running"
        assert runs.progress(store, "run-1").stage == "Loading the model and reading the pairs"


@pytest.mark.parametrize("told", [[], ["preparing"], ["preparing", "started", "step", "saved"]])
def test_a_run_whose_process_vanished_without_a_word_is_interrupted(store: Store, told: list[events.Kind]) -> None:
    folder = made(store)
    with worker_of(folder) as worker:
        for event in told:
            events.append(folder, event, step=1, total_steps=1)
        worker.kill()
        worker.wait()
        run = runs.get(store, "run-1")
    assert (run.state, run.alive, run.pid) == ("interrupted", False, None)


@pytest.mark.parametrize("ending", events.ENDS)
def test_a_run_that_told_its_end_has_that_state_even_while_its_process_lives(store: Store, ending: events.Kind) -> None:
    folder = made(store)
    events.append(folder, "preparing")
    events.append(folder, ending, message="No disk space.")
    with worker_of(folder):
        assert runs.get(store, "run-1").state == ending
    assert runs.get(store, "run-1").state == ending


def test_a_failed_run_says_why(store: Store) -> None:
    events.append(made(store), "failed", message="No disk space.")
    assert runs.get(store, "run-1").message == "No disk space."


def test_asking_for_a_run_does_not_keep_its_worker_from_the_lock(store: Store) -> None:
    folder = made(store)
    assert runs.get(store, "run-1").state == "interrupted"
    with worker_of(folder):
        assert [runs.get(store, "run-1").state for _ in range(3)] == ["queued"] * 3


def test_a_run_that_is_not_there_is_not_found_and_a_path_is_no_name(store: Store) -> None:
    with pytest.raises(NotFound, match="no run 'run-2'"):
        runs.get(store, "run-2")
    with pytest.raises(BadInput, match="cannot be a name"):
        runs.get(store, "../datasets")


def test_a_run_that_has_ended_cannot_be_stopped(store: Store) -> None:
    events.append(made(store), "finished")
    with pytest.raises(Busy, match="it is finished"):
        runs.stop(store, "run-1")


def test_runs_are_listed_newest_first_with_their_settings(store: Store) -> None:
    for second, name in enumerate(("run-b", "run-a", "run-c")):
        folder = made(store, name, dataset=name)
        os.utime(folder / "config.json", (second, second))
    listed = [(run.id, run.config.dataset) for run in runs.every(store)]
    assert listed == [("run-c", "run-c"), ("run-a", "run-a"), ("run-b", "run-b")]


def test_progress_tells_how_far_and_how_long(store: Store) -> None:
    folder = made(store)
    events.append(folder, "started", total_steps=8)
    for step in (1, 2, 3):
        events.append(folder, "step", step=step, metrics={"loss": 1 / step}, pairs=4)
    events.append(folder, "evaluated", step=3, metrics={"eval_loss": 0.5})
    progress = runs.progress(store, "run-1")
    assert (progress.step, progress.total_steps, progress.share) == (3, 8, 3 / 8)
    assert progress.curves == {"loss": [(1, 1.0), (2, 0.5), (3, 1 / 3)], "eval_loss": [(3, 0.5)]}
    assert progress.seconds_left is not None and progress.seconds_left > 0
    assert progress.pairs_per_second is not None and progress.pairs_per_second > 0


def test_a_run_that_has_ended_has_no_time_left(store: Store) -> None:
    folder = made(store)
    events.append(folder, "started", total_steps=2)
    for step in (1, 2):
        events.append(folder, "step", step=step, metrics={}, pairs=4)
    events.append(folder, "finished")
    progress = runs.progress(store, "run-1")
    assert (progress.seconds_left, progress.stage) == (None, "Finished")
    assert progress.seconds == runs.progress(store, "run-1").seconds


def test_a_run_stopped_before_it_had_a_model_does_not_speak_of_one(store: Store) -> None:
    events.append(made(store), "stopped")
    assert "kept" not in runs.progress(store, "run-1").stage


def test_the_version_changes_whenever_something_is_told(store: Store) -> None:
    folder = made(store)
    seen = [runs.version(store, "run-1")]
    for event in ("preparing", "failed"):
        events.append(folder, event, message="")  # type: ignore[arg-type]
        seen.append(runs.version(store, "run-1"))
    assert len(set(seen)) == 3


def test_the_log_shows_its_last_lines(store: Store) -> None:
    folder = made(store)
    assert runs.log(store, "run-1") == ""
    (folder / "worker.log").write_text("".join(f"line {number} ä\n" for number in range(5000)), encoding="utf-8")
    assert runs.log(store, "run-1", lines=2) == "line 4998 ä\nline 4999 ä"


def test_only_a_run_with_a_whole_model_can_score(store: Store) -> None:
    folder = made(store)
    with pytest.raises(NotFound, match="No reward model is trained yet"):
        runs.newest_model(store)
    with pytest.raises(BadInput, match="has no model: it is interrupted"):
        runs.model_folder(store, "run-1")
    write_json(folder / "model.json", {})
    assert runs.newest_model(store).id == "run-1"
    assert runs.model_folder(store, "run-1") == folder / "model"


def test_a_run_that_cannot_be_started_leaves_nothing_behind(sample: Store) -> None:
    for config in (TrainingConfig(base="no/such/base"), TrainingConfig(held_out_topics=("nothing",))):
        with pytest.raises(BadInput):
            runs.start(sample, config)
    assert runs.every(sample) == []
    assert list(sample.runs.iterdir()) == []
