"""Training runs, seen from outside: start one, stop it, see how far it is. A run's state is derived, never stored.

queued ──► running ──► finished
   │          ├──────► stopped      (asked to; the model so far is kept)
   │          ├──────► failed       (with a message)
   └──────────┴──────► interrupted  (its process vanished without a word)
"""

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ..errors import AppError, BadInput, Busy, NotFound
from ..reward.base_models import locate
from ..store import Store, read_json, write_json
from . import events
from .config import TrainingConfig, from_dict
from .pairs import judged_pairs, split
from .snapshot import write_pairs

journal = logging.getLogger("rlhf_app")

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]


MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**31)}
"""glibc keeps large blocks instead of giving them back at each step: about 15 % more steps a second on a CPU."""


@dataclass(frozen=True)
class Run:
    """One training run as it stands now. Times are seconds since 1970."""

    id: str
    config: TrainingConfig
    state: State
    created_at: float
    pid: int | None
    has_model: bool
    """Whether there is a whole model to score with."""
    message: str = ""
    """Why it failed, or nothing."""

    @property
    def alive(self) -> bool:
        return self.state in ("queued", "running")


@dataclass(frozen=True)
class Progress:
    """How far a run is. Curves map a metric's name to (step, value) points, as TRL names them."""

    step: int
    total_steps: int
    seconds: float
    seconds_left: float | None
    pairs_per_second: float | None
    curves: dict[str, list[tuple[int, float]]]
    stage: str
    """What it is doing, in words."""

    @property
    def share(self) -> float:
        return self.step / self.total_steps if self.total_steps else 0.0


def start(store: Store, config: TrainingConfig) -> Run:
    """Freeze the pairs and the config, and start the worker; it waits its turn if another run is going.

    Raises NotFound and BadInput before anything is written.
    """
    judged = judged_pairs(store, config.dataset)
    parts = split(judged.pairs, config)
    locate(config.base)
    folder = new_folder(store, config)
    write_pairs(folder / "pairs.parquet", parts)
    facts = {name: getattr(judged, name) for name in ("wins", "ties", "undecided", "skipped", "unjudged")}
    write_json(folder / "counts.json", facts | {part: len(pairs) for part, pairs in parts.items()})
    lock = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_json(folder / "config.json", asdict(config))  # from here on others see the run, and it is alive
        spawn(folder, lock)
    finally:
        os.close(lock)
    return get(store, folder.name)


def new_folder(store: Store, config: TrainingConfig) -> Path:
    """Make a folder whose name says when, what on and how."""
    base = f"{datetime.now():%Y%m%d-%H%M%S}-{config.dataset[:24]}-{config.preset}"
    for number in range(1, 100):
        folder = store.runs / (base if number == 1 else f"{base}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise Busy("A hundred runs started in this second. Try again in the next.")


def spawn(folder: Path, lock: int) -> None:
    """Start the worker of a run; it inherits the lock on its run, and SIGTERM waits until it listens."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with (folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "rlhf_app.training.worker", str(folder)],
                pass_fds=[lock],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**MALLOC, **os.environ, "PYTHONPATH": path},
            )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    write_json(folder / "pid.json", worker.pid)
    threading.Thread(target=worker.wait, daemon=True).start()  # so that it leaves no zombie


def stop(store: Store, run_id: str) -> Run:
    """Ask a run to stop; it keeps the model it has so far. Raises NotFound, and Busy if it has ended already."""
    run = get(store, run_id)
    if not run.alive:
        raise Busy(f"Run '{run_id}' is not going: it is {run.state}.")
    if run.pid is None:
        raise Busy(f"Run '{run_id}' is only just starting. Try again in a moment.")
    os.kill(run.pid, signal.SIGTERM)
    return run


def wait(store: Store, run_id: str, seconds: float = 86_400) -> Run:
    """Return the run when it has ended, or when the time is over."""
    end = time.monotonic() + seconds
    while (run := get(store, run_id)).alive and time.monotonic() < end:
        time.sleep(0.2)
    return run


def every(store: Store) -> list[Run]:
    """Return the runs, newest first."""
    found = []
    for path in store.runs.glob("*/config.json"):
        try:
            found.append(get(store, path.parent.name))
        except (AppError, OSError, ValueError, TypeError) as error:
            journal.warning("The run in %s cannot be read: %s", path.parent, error)
    return sorted(found, key=lambda run: run.created_at, reverse=True)


def get(store: Store, run_id: str) -> Run:
    """Return a run as it stands now. Raises NotFound and BadInput."""
    folder = store.run(run_id)
    alive = is_locked(folder / "worker.lock")  # before the events: it may end between the two
    told = events.last(folder)
    return Run(
        id=run_id,
        config=from_dict(read_json(folder / "config.json")),
        state=state_of(told, alive),
        created_at=(folder / "config.json").stat().st_mtime,
        pid=read_json(folder / "pid.json") if alive and (folder / "pid.json").exists() else None,
        has_model=(folder / "model.json").exists(),
        message=next((event["message"] for event in reversed(told) if event["event"] == "failed"), ""),
    )


def brief(run: Run) -> dict[str, Any]:
    """Return a run as one row of a list."""
    return {"run": run.id, "state": run.state, "dataset": run.config.dataset, "base": run.config.base,
            "preset": run.config.preset, "model": run.has_model}  # fmt: skip


def state_of(told: list[events.Event], alive: bool) -> State:
    ended = [event["event"] for event in told if event["event"] in events.ENDS]
    if ended:
        return ended[-1]
    if alive:
        return "running" if told else "queued"
    return "interrupted"


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def progress(store: Store, run_id: str) -> Progress:
    """Return how far a run is. Raises NotFound."""
    told = events.read(store.run(run_id))
    steps = [event for event in told if event["event"] == "step"]
    started = next((event for event in told if event["event"] == "started"), None)
    curves: dict[str, list[tuple[int, float]]] = {}
    for event in told:
        for name, value in event.get("metrics", {}).items():
            curves.setdefault(name, []).append((event["step"], value))
    total = started["total_steps"] if started else 0
    step = steps[-1]["step"] if steps else 0
    recent = steps[-20:]
    speed = left = None
    if len(recent) >= 2 and recent[-1]["at"] > recent[0]["at"]:
        seconds = recent[-1]["at"] - recent[0]["at"]
        speed = sum(event.get("pairs", 0) for event in recent[1:]) / seconds
        left = (total - step) * seconds / (len(recent) - 1)
    begin, end = (told[0]["at"], told[-1]["at"]) if told else (time.time(), time.time())
    ended = any(event["event"] in events.ENDS for event in told)
    now = end if ended else time.time()
    return Progress(step, total, now - begin, None if ended else left, speed, curves, stage(told))


def version(store: Store, run_id: str) -> str:
    """Return a text that is another one whenever the run has told something new; cheap enough to ask every second."""
    path = store.run(run_id) / "events.jsonl"
    return str(path.stat().st_size) if path.exists() else ""


def stage(told: list[events.Event]) -> str:
    """Say what a run is doing."""
    words = {
        "preparing": "Loading the model and reading the pairs",
        "started": "Training",
        "step": "Training",
        "evaluated": "Training",
        "saved": "Evaluating on the held-out pairs",
        "finished": "Finished",
        "stopped": "Stopped; the model so far is kept",
        "failed": "Failed",
    }
    if told and told[-1]["event"] == "stopped" and not any(event["event"] == "saved" for event in told):
        return "Stopped before there was a model"
    return words[told[-1]["event"]] if told else "Waiting for its turn"


def log(store: Store, run_id: str, lines: int = 200) -> str:
    """Return the last lines that the worker printed. Raises NotFound."""
    path = store.run(run_id) / "worker.log"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 200 * lines))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])


def model_folder(store: Store, run_id: str) -> Path:
    """Return the folder of a run's whole model. Raises NotFound, or BadInput if the run has none."""
    run = get(store, run_id)
    if not run.has_model:
        raise BadInput(f"Run '{run_id}' has no model: it is {run.state}. `runs` lists those that have one.")
    return store.run(run_id) / "model"


def newest_model(store: Store) -> Run:
    """Return the newest run that has a model. Raises NotFound."""
    run = next((run for run in every(store) if run.has_model), None)
    if run is None:
        raise NotFound("No reward model is trained yet. Train one on the sample: `train sample --preset quick`.")
    return run


def facts(store: Store, run_id: str) -> dict[str, Any]:
    """Return how many comparisons became which pairs. Raises NotFound."""
    path = store.run(run_id) / "counts.json"
    return read_json(path) if path.exists() else {}
