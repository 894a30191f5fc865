"""Look at comparisons: list datasets, page, filter, search, sort, count, and hand them to pandas."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..annotation_log import Verdict
from ..errors import BadInput, NotFound
from ..records import Comparison, Dataset
from ..store import Store, read_json
from .cells import clean

if TYPE_CHECKING:
    import pandas

log = logging.getLogger("rlhf_app")

Sort = Literal["imported", "newest", "longest", "shortest", "category"]
JUDGED = "judged"
UNJUDGED = "unjudged"

ORDERS: dict[str, tuple[str, str]] = {
    "imported": ("c.n", "ASC"),
    "newest": ("c.n", "DESC"),
    "longest": ("c.length_a + c.length_b", "DESC"),
    "shortest": ("c.length_a + c.length_b", "ASC"),
    "category": ("c.category", "ASC"),
}
TABLE = "comparisons c LEFT JOIN judged.verdicts v ON v.dataset = :dataset AND v.comparison_id = c.id"
COLUMNS = "c.n, c.id, c.prompt, c.response_a, c.response_b, c.metadata, v.verdict"


@dataclass(frozen=True)
class Query:
    """What to show of a dataset. `judgement` is a verdict, "judged" or "unjudged"; empty texts mean everything."""

    search: str = ""
    category: str = ""
    judgement: str = ""
    sort: Sort = "imported"


@dataclass(frozen=True)
class Listed:
    """A comparison as a list shows it, with what most annotators say of it and its key in the list's order."""

    comparison: Comparison
    verdict: Verdict | None
    key: tuple[Any, int]


@dataclass(frozen=True)
class Statistics:
    """Counts and lengths (in characters) of a dataset."""

    comparisons: int
    verdicts: dict[str, int]
    categories: dict[str, int]
    lengths: list[tuple[int, int]]
    """The lengths of response A and B, of at most 20,000 rows."""


def datasets(store: Store) -> list[Dataset]:
    """Return the datasets, oldest first."""
    found = []
    for path in store.datasets.glob("[!.]*/dataset.json"):
        try:
            found.append(Dataset(**read_json(path)))
        except (OSError, ValueError, TypeError) as error:
            log.warning("The dataset in %s cannot be read: %s", path.parent, error)
    return sorted(found, key=lambda dataset: dataset.created_at)


def remove(store: Store, dataset: str) -> None:
    """Move a dataset and its judgements to the trash folder; nothing is deleted. Raises NotFound."""
    folder = store.dataset(dataset)
    new_name = f"{dataset}.{time.time_ns()}"
    with store.annotations() as db:
        db.execute("UPDATE annotations SET dataset = ? WHERE dataset = ?", (f"trash/{new_name}", dataset))
        db.execute("DELETE FROM verdicts WHERE dataset = ?", (dataset,))
    folder.rename(store.trash / new_name)


def page(
    store: Store,
    dataset: str,
    query: Query,
    limit: int = 50,
    after: tuple[Any, int] | None = None,
    before: tuple[Any, int] | None = None,
) -> list[Listed]:
    """Return one page of a dataset: the rows after a key, or those before one, or the first. Raises NotFound, BadInput.

    Paging by key instead of by number costs the same on the last page of a million as on the first.
    """
    if query.sort not in ORDERS:
        raise BadInput(f"Sort by one of {', '.join(ORDERS)}.")
    order, direction = ORDERS[query.sort]
    where, values = condition(dataset, query)
    if key := after or before:
        ahead = (direction == "ASC") == bool(after)
        where += f" AND ({order}, c.n) {'>' if ahead else '<'} (:key, :n)"
        values |= {"key": key[0], "n": key[1]}
    if before:
        direction = "DESC" if direction == "ASC" else "ASC"
    with store.comparisons(dataset) as db:
        rows = db.execute(
            f"SELECT {COLUMNS}, {order} AS key FROM {TABLE} WHERE {where}"
            f" ORDER BY {order} {direction}, c.n {direction} LIMIT :limit",
            {**values, "limit": limit},
        ).fetchall()
    listed = [Listed(comparison(row), row["verdict"], (row["key"], row["n"])) for row in rows]
    return listed[::-1] if before else listed


def count(store: Store, dataset: str, query: Query) -> int:
    """Return how many comparisons a query finds. Raises NotFound."""
    where, values = condition(dataset, query)
    with store.comparisons(dataset) as db:
        return db.execute(f"SELECT count(*) FROM {TABLE} WHERE {where}", values).fetchone()[0]


def condition(dataset: str, query: Query) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a query's filters and the values it binds."""
    clauses, values = ["1"], {"dataset": dataset}
    text = clean(query.search.replace("\0", "")).strip()
    if len(text) >= 3:
        clauses.append("c.n IN (SELECT rowid FROM search WHERE search MATCH :search)")
        values["search"] = '"' + text.replace('"', '""') + '"'
    elif text:
        columns = ("prompt_text(c.prompt)", "c.response_a", "c.response_b")
        clauses.append("(" + " OR ".join(f"instr(lower({column}), lower(:search))" for column in columns) + ")")
        values["search"] = text
    if query.category:
        clauses.append("c.category = :category")
        values["category"] = query.category
    if query.judgement == UNJUDGED:
        clauses.append("v.verdict IS NULL")
    elif query.judgement == JUDGED:
        clauses.append("v.verdict IS NOT NULL")
    elif query.judgement:
        clauses.append("v.verdict = :verdict")
        values["verdict"] = query.judgement
    return " AND ".join(clauses), values


def get(store: Store, dataset: str, comparison_id: str) -> Listed:
    """Return one comparison. Raises NotFound."""
    with store.comparisons(dataset) as db:
        row = db.execute(
            f"SELECT {COLUMNS} FROM {TABLE} WHERE c.id = :id", {"dataset": dataset, "id": comparison_id}
        ).fetchone()
    if row is None:
        raise NotFound(f"'{dataset}' has no comparison '{comparison_id}'.")
    return Listed(comparison(row), row["verdict"], (row["n"], row["n"]))


def everything(store: Store, dataset: str) -> Iterator[tuple[Comparison, Verdict | None]]:
    """Yield every comparison with its verdict, in the order imported. Raises NotFound."""
    with store.comparisons(dataset) as db:
        for row in db.execute(f"SELECT {COLUMNS} FROM {TABLE} ORDER BY c.n", {"dataset": dataset}):
            yield comparison(row), row["verdict"]


def comparison(row: sqlite3.Row) -> Comparison:
    return Comparison(
        row["id"], json.loads(row["prompt"]), row["response_a"], row["response_b"], json.loads(row["metadata"])
    )


def statistics(store: Store, dataset: str) -> Statistics:
    """Return what the pictures of a dataset are drawn from. Raises NotFound."""
    values = {"dataset": dataset}
    with store.comparisons(dataset) as db:
        total = db.execute("SELECT count(*) FROM comparisons").fetchone()[0]
        verdicts = dict(
            db.execute(f"SELECT coalesce(v.verdict, 'unjudged'), count(*) FROM {TABLE} GROUP BY 1", values).fetchall()
        )
        categories = dict(
            db.execute("SELECT category, count(*) FROM comparisons GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
        )
        lengths = [
            tuple(row)
            for row in db.execute("SELECT length_a, length_b FROM comparisons WHERE n % :step = 0 LIMIT 20000",
                                  {"step": max(1, total // 20_000)})
        ]  # fmt: skip
    return Statistics(total, verdicts, categories, lengths)


def to_pandas(store: Store, dataset: str, query: Query = Query()) -> "pandas.DataFrame":
    """Return the comparisons that a query finds as a table: one row each, metadata as columns. Raises NotFound."""
    import pandas

    rows = [
        {
            **{f"metadata.{key}": value for key, value in each.comparison.metadata.items()},
            "id": each.comparison.id,
            "prompt": each.comparison.prompt,
            "response_a": each.comparison.response_a,
            "response_b": each.comparison.response_b,
            "category": each.comparison.category,
            "verdict": each.verdict,
        }
        for each in page(store, dataset, query, limit=-1)
    ]
    first = ["id", "prompt", "response_a", "response_b", "category", "verdict"]
    table = pandas.DataFrame(rows, columns=None if rows else first)
    return table[[*first, *(column for column in table.columns if column not in first)]]
