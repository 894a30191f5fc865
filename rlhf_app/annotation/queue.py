"""What to judge next, and on which side each response is shown."""

import hashlib

from ..data.comparisons import COLUMNS, TABLE, Listed, comparison
from ..records import Choice, Comparison
from ..store import Store

NOT_MINE = (
    "NOT EXISTS (SELECT 1 FROM judged.annotations x WHERE x.dataset = :dataset AND x.comparison_id = c.id"
    " AND x.annotator = :annotator AND x.undone = 0)"
)


def next_comparison(store: Store, dataset: str, annotator: str) -> Listed | None:
    """Return the first comparison that this annotator has not judged, those that nobody has judged first.

    None when all are judged. Raises NotFound.
    """
    values = {"dataset": dataset, "annotator": annotator}
    with store.comparisons(dataset) as db:
        for more in ("AND v.verdict IS NULL", ""):
            row = db.execute(
                f"SELECT {COLUMNS} FROM {TABLE} WHERE {NOT_MINE} {more} ORDER BY c.n LIMIT 1", values
            ).fetchone()
            if row is not None:
                return Listed(comparison(row), row["verdict"], (row["n"], row["n"]))
    return None


def flipped(annotator: str, comparison_id: str) -> bool:
    """Whether this annotator sees response B on the left: a coin tossed once for the two of them."""
    return hashlib.sha256(f"{annotator}\n{comparison_id}".encode()).digest()[0] % 2 == 1


def as_shown(comparison: Comparison, annotator: str) -> tuple[str, str]:
    """Return the two responses as this annotator sees them, left and right."""
    sides = (comparison.response_a, comparison.response_b)
    return sides[::-1] if flipped(annotator, comparison.id) else sides


def as_stored(choice: Choice, annotator: str, comparison_id: str) -> Choice:
    """Return the choice that a click on the shown sides means for the stored ones."""
    swap: dict[Choice, Choice] = {"a": "b", "b": "a"}
    return swap.get(choice, choice) if flipped(annotator, comparison_id) else choice
