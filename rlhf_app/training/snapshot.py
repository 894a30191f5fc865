"""A run's frozen pairs on disk, so that later annotations change nothing about it."""

import json
from dataclasses import asdict
from pathlib import Path

from ..records import PreferencePair
from .pairs import Part


def write_pairs(path: Path, parts: dict[Part, list[PreferencePair]]) -> None:
    """Write the pairs of each part as Parquet, through a temporary name."""
    import pyarrow
    import pyarrow.parquet

    rows = [
        {**asdict(pair), "prompt": json.dumps(pair.prompt, ensure_ascii=False), "part": part}
        for part, pairs in parts.items()
        for pair in pairs
    ]
    temporary = path.with_name(f".{path.name}")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), temporary)
    temporary.replace(path)


def read_pairs(path: Path) -> dict[Part, list[PreferencePair]]:
    """Return the pairs of each part; a part without pairs is an empty list."""
    import pyarrow.parquet

    parts: dict[Part, list[PreferencePair]] = {"train": [], "validation": [], "test": []}
    for row in pyarrow.parquet.read_table(path).to_pylist():
        part = row.pop("part")
        parts[part].append(PreferencePair(**{**row, "prompt": json.loads(row["prompt"])}))
    return parts
