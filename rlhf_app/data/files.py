"""The rows of a file, whatever its kind: JSONL, JSON, CSV, TSV or Parquet, each also gzipped.

A row that cannot be read is yielded as a `Bad` with the reason, so that the import can count it and go on. A file that
cannot be read at all raises BadInput.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import BadInput, NotFound

LONGEST_LINE = 10_000_000
LARGEST_JSON = 500_000_000
KINDS = ("jsonl", "ndjson", "json", "csv", "tsv", "parquet")


class Bad(NamedTuple):
    """A row that could not be read, and why."""

    reason: str


class Numbered(NamedTuple):
    """A row with the words that name its place in the file: "line 12", "row 3"."""

    where: str
    row: dict[str, Any] | Bad


def rows(path: Path) -> Iterator[Numbered]:
    """Yield the rows of a file. Raises NotFound and BadInput."""
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file '{path}'.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty. Nothing was imported.")
    kind = kind_of(path)
    readers = {"jsonl": lines, "ndjson": lines, "json": document, "csv": table, "tsv": table, "parquet": columns}
    try:
        with opened(path) as file:
            yield from readers[kind](file, path)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path.name} is not UTF-8 text (byte 0x{error.object[error.start]:02x}). "
            "Save it as UTF-8, in a spreadsheet: 'CSV UTF-8', and try again."
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path.name} is not a whole gzip file ({error}). Copy it again.") from error


def kind_of(path: Path) -> str:
    """Return what kind of file a name announces. Raises BadInput."""
    suffixes = [suffix.lower().lstrip(".") for suffix in path.suffixes]
    if suffixes and suffixes[-1] == "gz":
        suffixes.pop()
    if not suffixes or suffixes[-1] not in KINDS:
        raise BadInput(f"{path.name} is of no known kind. Use {', '.join(KINDS)}, each also with .gz.")
    return suffixes[-1]


def opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def lines(file: IO[bytes], path: Path) -> Iterator[Numbered]:
    """JSONL: one object a line. The first line of all may begin with a byte order mark."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"line {number}"
        if len(line) > LONGEST_LINE:
            yield Numbered(where, Bad(f"longer than {LONGEST_LINE // 1_000_000} MB, which no row of comparisons is"))
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            continue
        if line.strip():
            yield Numbered(where, as_object(line.decode("utf-8-sig" if number == 1 else "utf-8")))


def as_object(line: str) -> dict[str, Any] | Bad:
    try:
        value = json.loads(line)
    except ValueError:
        return Bad("not valid JSON; is the line cut off?")
    except RecursionError:
        return Bad("JSON nested too deeply")
    return value if isinstance(value, dict) else Bad("not a JSON object with named columns")


def document(file: IO[bytes], path: Path) -> Iterator[Numbered]:
    """JSON: a list of objects, alone or as the only list in an object."""
    content = file.read(LARGEST_JSON + 1)
    if len(content) > LARGEST_JSON:
        raise BadInput(f"{path.name} is over {LARGEST_JSON // 1_000_000} MB. Save it as JSONL, one object a line.")
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{path.name} is not valid JSON: {error}. If it holds one object a line, name it .jsonl."
        ) from error
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        value = lists[0] if len(lists) == 1 else value
    if not isinstance(value, list):
        raise BadInput(f"{path.name} holds no list of rows.")
    for number, row in enumerate(value, 1):
        yield Numbered(f"row {number}", row if isinstance(row, dict) else Bad("not a JSON object with named columns"))


def table(file: IO[bytes], path: Path) -> Iterator[Numbered]:
    """CSV and TSV with a header."""
    csv.field_size_limit(LONGEST_LINE)
    wrapped = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from table_rows(
            csv.DictReader(wrapped, delimiter="\t" if kind_of(path) == "tsv" else ",", strict=True), path
        )
    finally:
        wrapped.detach()  # the file is closed by who opened it


def table_rows(reader: csv.DictReader, path: Path) -> Iterator[Numbered]:
    number = 1
    while True:
        number += 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BadInput(
                f"{path.name}, near line {reader.line_num}: {error}. Is a quotation mark missing?"
            ) from error
        if row is None:
            return
        if None in row:
            yield Numbered(f"row {number}", Bad("more cells than the header names"))
        elif None in row.values():
            yield Numbered(f"row {number}", Bad("fewer cells than the header names"))
        else:
            yield Numbered(f"row {number}", {key: cell(value) for key, value in row.items()})


def cell(value: str) -> Any:
    """Open a cell that holds messages or votes; any other JSON may be a response and stays text."""
    if not (value.startswith("[") and value.endswith("]")):
        return value
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        return value
    opened = items and all(
        isinstance(item, dict) and item.keys() & {"role", "annotator", "choice", "rank"} for item in items
    )
    return items if opened else value


def columns(file: IO[bytes], path: Path) -> Iterator[Numbered]:
    import pyarrow
    import pyarrow.parquet

    source = io.BytesIO(file.read()) if isinstance(file, gzip.GzipFile) else path
    try:
        parquet = pyarrow.parquet.ParquetFile(source)
        number = 0
        for batch in parquet.iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield Numbered(f"row {number}", row)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path.name} is not a whole Parquet file. Copy it again. ({error})") from error
