"""Looking at 100,000 comparisons: a page, a filter with its count, a search; against a pandas table read from JSONL."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from rlhf_app.data.comparisons import Query, count, page
from rlhf_app.data.importing import keep, stage
from rlhf_app.sample import FILE
from rlhf_app.store import Store

ROWS = 100_000
Case = tuple[str, str, Callable[[], Any], Callable[[], Any], int]


def cases(store: Store) -> Iterator[Case]:
    path = store.home / "many.jsonl"
    sample = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    with path.open("w", encoding="utf-8") as file:
        for number in range(ROWS):
            row = sample[number % len(sample)]
            file.write(json.dumps({**row, "id": str(number), "instruction": f"{row['instruction']} ({number})"}) + "\n")
    keep(store, stage(store, path), "many")
    table = pd.read_json(path, lines=True)
    query = Query(category="code", sort="longest")

    def filtered() -> None:
        page(store, "many", query, 25)
        count(store, "many", query)

    def filtered_in_pandas() -> None:
        found = table[table.category == "code"]
        order = (found["response-1"].str.len() + found["response-2"].str.len()).sort_values(ascending=False)
        found.loc[order.index[:25]], len(found)

    def searched() -> None:
        page(store, "many", Query("(77777)"), 25)

    def searched_in_pandas() -> None:
        columns = ("instruction", "response-1", "response-2")
        table[sum(table[name].str.contains("(77777)", regex=False) for name in columns) > 0].head(25)

    yield (
        "First page after a restart, 100,000 comparisons",
        "pandas.read_json, head",
        lambda: pd.read_json(path, lines=True).head(25),
        lambda: page(store, "many", Query(), 25),
        2,
    )
    yield "Filter, sort by length, count", "pandas, in memory", filtered_in_pandas, filtered, 5
    yield "Search", "pandas, in memory", searched_in_pandas, searched, 5
