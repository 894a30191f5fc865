"""The log of judgements: append, undo, read, and what most annotators say of each comparison.

Nothing of a dataset is ever deleted: an annotator's newest judgement of a comparison counts, and undo marks it as undone, so that the
one before counts again. `verdicts` is kept beside the log, in the same transaction, for filters and counts.
"""

import sqlite3
from collections.abc import Iterable
from typing import Literal

from .records import Annotation

Verdict = Literal["a", "b", "tie", "undecided", "skip"]
"""What most annotators chose; `undecided` when two choices lead with as many votes, `skip` when nobody chose."""

CURRENT = (
    "SELECT max(seq) FROM annotations WHERE dataset = :dataset{one} AND undone = 0 GROUP BY comparison_id, annotator"
)
"""The judgements that count, of a dataset or of one comparison in it."""

ONE = " AND comparison_id = :comparison"

REFRESH = """
INSERT OR REPLACE INTO verdicts
SELECT dataset, comparison_id,
       CASE WHEN a + b + tie = 0 THEN 'skip' WHEN a > b AND a > tie THEN 'a' WHEN b > a AND b > tie THEN 'b'
            WHEN tie > a AND tie > b THEN 'tie' ELSE 'undecided' END, a, b, tie, skip
FROM (SELECT dataset, comparison_id, sum(choice = 'a') a, sum(choice = 'b') b, sum(choice = 'tie') tie,
             sum(choice = 'skip') skip
      FROM annotations WHERE seq IN ({current}) GROUP BY comparison_id)
"""


def append(db: sqlite3.Connection, dataset: str, annotations: Iterable[Annotation]) -> int:
    """Append judgements to a dataset's log and return how many. The caller's transaction makes them durable."""
    rows = [
        (
            dataset,
            each.comparison_id,
            each.annotator,
            each.choice,
            each.strength,
            each.note,
            each.created_at,
            each.source,
        )
        for each in annotations
    ]
    db.executemany(
        "INSERT INTO annotations (dataset, comparison_id, annotator, choice, strength, note, created_at, source)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    touched = {row[1] for row in rows}
    refresh(db, dataset, touched.pop() if len(touched) == 1 else None)
    return len(rows)


def undo_last(db: sqlite3.Connection, dataset: str, annotator: str, source: str = "app") -> Annotation | None:
    """Take an annotator's last judgement back and return it, or None when there is none left."""
    db.execute("BEGIN IMMEDIATE")  # two undos at once take two judgements back, not one twice
    row = db.execute(
        "SELECT * FROM annotations WHERE dataset = ? AND annotator = ? AND source = ? AND undone = 0"
        " ORDER BY seq DESC LIMIT 1",
        (dataset, annotator, source),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE annotations SET undone = 1 WHERE seq = ?", (row["seq"],))
    refresh(db, dataset, row["comparison_id"])
    return annotation(row)


def refresh(db: sqlite3.Connection, dataset: str, comparison_id: str | None = None) -> None:
    """Work the verdicts out anew, of one comparison or of the whole dataset."""
    values = {"dataset": dataset, "comparison": comparison_id}
    one = ONE if comparison_id is not None else ""  # two statements, so that each finds its index
    db.execute(f"DELETE FROM verdicts WHERE dataset = :dataset{one}", values)
    db.execute(REFRESH.format(current=CURRENT.format(one=one)), values)


def forget(db: sqlite3.Connection, dataset: str) -> None:
    """Take away the judgements under the name of a dataset that does not exist."""
    for table in ("annotations", "verdicts"):
        db.execute(f"DELETE FROM {table} WHERE dataset = ?", (dataset,))


def current(db: sqlite3.Connection, dataset: str) -> list[Annotation]:
    """Return the judgements that count: each annotator's newest of each comparison, oldest first."""
    rows = db.execute(
        f"SELECT * FROM annotations WHERE seq IN ({CURRENT.format(one='')}) ORDER BY seq", {"dataset": dataset}
    )
    return [annotation(row) for row in rows]


def annotation(row: sqlite3.Row) -> Annotation:
    names = ("comparison_id", "annotator", "choice", "strength", "note", "created_at", "source")
    return Annotation(**{name: row[name] for name in names})
