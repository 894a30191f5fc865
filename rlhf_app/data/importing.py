"""Bring comparisons in: read a file or a Hub dataset into a folder of its own, show what came, then keep it or not.

stage → Staged (rows kept, skipped and why)  → keep → Dataset
                                             → discard
"""

import itertools
import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import annotation_log
from ..errors import BadInput, Busy
from ..records import Annotation, Comparison, Dataset, now, prompt_text
from ..store import Store, checked_name, opened, write_json
from . import files
from .cells import RowError, digest
from .formats import Layout, Reading, recognise
from .hub_rows import HubSource, hub_rows

SCHEMA = """
CREATE TABLE comparisons (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, prompt TEXT NOT NULL, response_a TEXT NOT NULL,
    response_b TEXT NOT NULL, category TEXT NOT NULL, metadata TEXT NOT NULL,
    length_a INTEGER NOT NULL, length_b INTEGER NOT NULL);
CREATE VIRTUAL TABLE search USING fts5(prompt, response_a, response_b, content='', tokenize='trigram');
CREATE TABLE votes (comparison_id TEXT, annotator TEXT, choice TEXT, strength REAL);
"""
INDEXES = "CREATE INDEX by_category ON comparisons (category, n); CREATE INDEX by_length ON comparisons (length_a + length_b, n);"

IMPORTED = "imported"
"""The annotator of a judgement whose file names nobody."""

Progress = Callable[[int], None]


class UnknownLayout(BadInput):
    """The columns mean nothing to us; `columns` are those the file has, for the mapping form."""

    def __init__(self, name: str, columns: list[str]) -> None:
        self.columns = columns
        super().__init__(
            f"{name} has the columns {', '.join(columns) or '(none)'}, which are not a layout we know. Needed are prompt, "
            "response_a and response_b, or prompt, chosen and rejected. Say which column is which, or rename them."
        )


@dataclass
class Report:
    """What came of an import: rows read, and how each was used. Reasons map to their count and first place."""

    rows: int = 0
    comparisons: int = 0
    votes: int = 0
    skipped: dict[str, tuple[int, str]] = field(default_factory=dict)
    remarks: dict[str, tuple[int, str]] = field(default_factory=dict)

    def skip(self, reason: str, where: str) -> None:
        count, place = self.skipped.get(reason, (0, where))
        self.skipped[reason] = (count + 1, place)

    def remark(self, remark: str, where: str) -> None:
        count, place = self.remarks.get(remark, (0, where))
        self.remarks[remark] = (count + 1, place)

    @property
    def rows_skipped(self) -> int:
        return sum(count for count, _ in self.skipped.values())


@dataclass(frozen=True)
class Staged:
    """An import that is read and not yet kept."""

    folder: Path
    source: str
    layout: str
    suggested_name: str
    split_column: str
    report: Report


def stage(
    store: Store,
    source: Path | HubSource,
    columns: Mapping[str, str] | None = None,
    progress: Progress = lambda rows: None,
) -> Staged:
    """Read a file or a Hub dataset into a folder of its own; nothing is stored as a dataset yet.

    `columns` says which column is which: `{"question": "prompt", "best": "chosen", …}`. Raises NotFound, BadInput,
    UnknownLayout (with the file's columns) and ServiceError.
    """
    label = source.label if isinstance(source, HubSource) else source.name
    numbered = hub_rows(source) if isinstance(source, HubSource) else files.rows(source)
    layout, numbered = recognised(numbered, columns or {}, label)
    sweep(store)
    folder = store.datasets / f".staged-{int(time.time())}-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        with opened(folder / "comparisons.db") as db:
            db.executescript(SCHEMA)
            report, split_column = fill(db, numbered, layout, progress)
            db.executescript(INDEXES)
        if not report.comparisons:
            reason, (count, where) = max(report.skipped.items(), key=lambda item: item[1][0])
            raise BadInput(
                f"{label} has no row that can be used. {count} of {report.rows}: {reason} (first at {where})."
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    stem = label.split("/")[-1].split(".")[0]
    return Staged(folder, label, layout.name, free_name(store, stem), split_column, report)


def keep(store: Store, staged: Staged, name: str, description: str = "") -> Dataset:
    """Make a staged import a dataset: its votes first, then its name. Raises BadInput and Busy."""
    target = check_free(store, name)
    if not staged.folder.exists():
        raise BadInput("This import is no longer there. Read the file again.")
    dataset = Dataset(
        name, staged.report.comparisons, staged.source, staged.layout, now(), description, staged.split_column
    )
    with opened(staged.folder / "comparisons.db") as db:
        votes = [
            Annotation(comparison_id, annotator, choice, strength, source="import")
            for comparison_id, annotator, choice, strength in db.execute("SELECT * FROM votes ORDER BY rowid")
        ]
    write_json(staged.folder / "dataset.json", vars(dataset))
    with store.alone("keep"):
        check_free(store, name)
        with store.annotations() as log:
            annotation_log.forget(log, name)  # what an import that died half-way may have left
            annotation_log.append(log, name, votes)
        staged.folder.rename(target)
    return dataset


def check_free(store: Store, name: str) -> Path:
    """Return where a dataset of this name will be. Raises BadInput, and Busy if there is one."""
    target = store.datasets / checked_name(name)
    if target.exists():
        raise Busy(f"There is a dataset '{name}' already. '{free_name(store, name)}' is free.")
    return target


def discard(staged: Staged) -> None:
    """Forget a staged import."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def sweep(store: Store, older_than: float = 86_400) -> None:
    """Remove staged imports that nobody kept for a day."""
    for folder in store.datasets.glob(".staged-*"):
        if time.time() - int(folder.name.split("-")[1]) > older_than:
            shutil.rmtree(folder, ignore_errors=True)


def free_name(store: Store, wanted: str) -> str:
    """Return the wanted name made valid, with a number behind it where it is taken."""
    base = (
        "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in wanted).strip("-._")[:56]
        or "dataset"
    )
    names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (store.datasets / name).exists())


def renamed(numbered: Iterable[files.Numbered], columns: Mapping[str, str]) -> Iterator[files.Numbered]:
    """Give the columns the names they are mapped to, and all of them in lower case."""
    wanted = {key.strip().lower(): value.strip().lower() for key, value in columns.items()}
    for where, row in numbered:
        if isinstance(row, files.Bad):
            yield files.Numbered(where, row)
        else:
            lower = {str(key).strip().lower(): value for key, value in row.items()}
            shadowed = set(wanted.values()) - set(wanted)
            kept = {wanted.get(key, key): value for key, value in lower.items() if key not in shadowed}
            yield files.Numbered(where, kept)


def recognised(
    numbered: Iterator[files.Numbered], columns: Mapping[str, str], label: str
) -> tuple[Layout, Iterator[files.Numbered]]:
    """Return the layout that the first rows' columns give away, and all the rows with their columns renamed."""
    head = list(itertools.islice(numbered, 100))
    good = [row for _, row in head if not isinstance(row, files.Bad)]
    if head and not good:
        raise BadInput(f"{label} cannot be read: {head[0].where}: {head[0].row.reason}")  # type: ignore[union-attr]
    if not head:
        raise BadInput(f"{label} has no rows. Nothing was imported.")
    layout = recognise(column for _, row in renamed(head, columns) if not isinstance(row, files.Bad) for column in row)
    if layout is None:
        raise UnknownLayout(label, list(dict.fromkeys(str(column).strip() for row in good for column in row)))
    return layout, renamed(itertools.chain(head, numbered), columns)


def fill(
    db: sqlite3.Connection, numbered: Iterable[files.Numbered], layout: Layout, progress: Progress
) -> tuple[Report, str]:
    """Write every row's comparison and votes; return the report and the column to split by, if there is one."""
    report, topics = Report(), False
    unnamed: dict[str, int] = {}
    for where, row in numbered:
        report.rows += 1
        if report.rows % 1000 == 0:
            progress(report.rows)
        reading = read(row, layout)
        if isinstance(reading, files.Bad):
            report.skip(reading.reason, where)
            continue
        for remark in reading.remarks:
            report.remark(remark, where)
        identity = insert(db, reading.comparison, report, where)
        topics = topics or bool(reading.comparison.metadata.get("topic"))
        for vote in reading.votes:
            annotator = vote.annotator
            if not annotator:
                count = unnamed[identity] = unnamed.get(identity, 0) + 1
                annotator = IMPORTED if count == 1 else f"{IMPORTED} ({count})"
            db.execute("INSERT INTO votes VALUES (?, ?, ?, ?)", (identity, annotator, vote.choice, vote.strength))
            report.votes += 1
    return report, "topic" if topics else ""


def read(row: dict[str, Any] | files.Bad, layout: Layout) -> Reading | files.Bad:
    if isinstance(row, files.Bad):
        return row
    try:
        return layout.read(row)
    except RowError as error:
        return files.Bad(str(error))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return files.Bad(f"not as the layout '{layout.name}' has it ({type(error).__name__}: {str(error)[:80]})")


def insert(db: sqlite3.Connection, comparison: Comparison, report: Report, where: str) -> str:
    """Write one comparison and return its id. The same content again is not doubled; only its votes are added."""
    c = comparison
    prompt = json.dumps(c.prompt, ensure_ascii=False)
    known = db.execute("SELECT prompt, response_a, response_b FROM comparisons WHERE id = ?", (c.id,)).fetchone()
    if known and tuple(known) == (prompt, c.response_a, c.response_b):
        report.remark("repeats an earlier comparison: not doubled, its judgement counts as one more vote", where)
        return c.id
    identity = c.id
    if known:
        identity = f"{c.id}-{digest(prompt, c.response_a, c.response_b)[:8]}"
        report.remark("its id was taken by another comparison, so it got a longer one", where)
    values = (identity, prompt, c.response_a, c.response_b, c.category, json.dumps(c.metadata, ensure_ascii=False))
    cursor = db.execute(
        "INSERT OR IGNORE INTO comparisons (id, prompt, response_a, response_b, category, metadata, length_a, length_b)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, len(c.response_a), len(c.response_b)),
    )
    if cursor.rowcount:
        text = (cursor.lastrowid, prompt_text(c.prompt), c.response_a, c.response_b)
        db.execute("INSERT INTO search (rowid, prompt, response_a, response_b) VALUES (?, ?, ?, ?)", text)
        report.comparisons += 1
    return identity
