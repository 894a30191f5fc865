"""The data directory: the only builder of its paths and opener of its files.

datasets/<name>/comparisons.db, dataset.json (written last: its presence means whole)
annotations.db    every judgement ever made
runs/<id>/        one training run
trash/            removed datasets; locks/ what one process at a time may do
"""

import fcntl
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadInput, NotFound
from .records import prompt_text

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

ANNOTATIONS = """
CREATE TABLE IF NOT EXISTS annotations (
    seq INTEGER PRIMARY KEY, dataset TEXT NOT NULL, comparison_id TEXT NOT NULL, annotator TEXT NOT NULL,
    choice TEXT NOT NULL, strength REAL, note TEXT NOT NULL, created_at TEXT NOT NULL, source TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS by_comparison ON annotations (dataset, comparison_id, annotator, seq);
CREATE INDEX IF NOT EXISTS by_annotator ON annotations (dataset, annotator, seq);
CREATE TABLE IF NOT EXISTS verdicts (
    dataset TEXT NOT NULL, comparison_id TEXT NOT NULL, verdict TEXT NOT NULL,
    a INTEGER NOT NULL, b INTEGER NOT NULL, tie INTEGER NOT NULL, skip INTEGER NOT NULL,
    PRIMARY KEY (dataset, comparison_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_verdict ON verdicts (dataset, verdict, comparison_id);
"""


@dataclass(frozen=True)
class Store:
    """The directory everything is kept in. Cheap to make; it holds no open file."""

    home: Path

    @property
    def datasets(self) -> Path:
        return self._made("datasets")

    @property
    def runs(self) -> Path:
        return self._made("runs")

    @property
    def trash(self) -> Path:
        return self._made("trash")

    def _made(self, name: str) -> Path:
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def dataset(self, name: str) -> Path:
        """Return the folder of a whole dataset. Raises NotFound or BadInput."""
        folder = self.datasets / checked_name(name)
        if not (folder / "dataset.json").exists():
            raise NotFound(f"There is no dataset '{name}'. `datasets` lists what there is.")
        return folder

    def run(self, run_id: str) -> Path:
        """Return the folder of a run. Raises NotFound or BadInput."""
        folder = self.runs / checked_name(run_id)
        if not (folder / "config.json").exists():
            raise NotFound(f"There is no run '{run_id}'. `runs` lists what there is.")
        return folder

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Let one process and thread at a time do something in this store."""
        lock = os.open(self._made("locks") / checked_name(what), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def annotations(self) -> Iterator[sqlite3.Connection]:
        """Open annotations.db for one transaction, committed to disk at the end of the block."""
        self.home.mkdir(parents=True, exist_ok=True)
        with opened(self.home / "annotations.db") as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'by_verdict'").fetchone():
                with self.alone("annotations"):
                    db.execute("PRAGMA journal_mode = WAL")
                    db.executescript(ANNOTATIONS)
            yield db

    @contextmanager
    def comparisons(self, dataset: str) -> Iterator[sqlite3.Connection]:
        """Open a dataset for reading, with the judgements beside it as schema `judged`."""
        folder = self.dataset(dataset)
        with self.annotations():
            pass
        with opened(folder / "comparisons.db") as db:
            db.create_function("prompt_text", 1, lambda prompt: prompt_text(json.loads(prompt)), deterministic=True)
            db.execute("ATTACH ? AS judged", (str(self.home / "annotations.db"),))
            yield db


def checked_name(name: str) -> str:
    """Return the name if it can be a folder's. Raises BadInput."""
    if not NAME.fullmatch(name or ""):
        raise BadInput(
            f"'{(name or '')[:80]}' cannot be a name. Use up to 64 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit."
        )
    return name


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for one transaction; rows answer to column names."""
    db = sqlite3.connect(path, timeout=30)
    db.row_factory = sqlite3.Row
    try:
        with db:
            yield db
    finally:
        db.close()


def write_json(path: Path, value: Any) -> None:
    """Write JSON to a temporary name beside the path, then rename: a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Return what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
