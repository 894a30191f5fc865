"""Rows come out of every kind of file; what cannot be read is said with its place."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from rlhf_app.data.files import KINDS, Bad, rows
from rlhf_app.errors import BadInput, NotFound

ROWS = [
    {"prompt": "Warum?", "response_a": 'weil, "so"\nist das', "response_b": "為什麼不"},
    {"prompt": "Why?", "response_a": "because", "response_b": "no\treason"},
]


def separated(mark: str) -> bytes:
    quoted = [['"' + value.replace('"', '""') + '"' for value in row.values()] for row in ROWS]
    return "\r\n".join(mark.join(line) for line in [list(ROWS[0]), *quoted]).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


def written(kind: str) -> bytes:
    if kind in ("jsonl", "ndjson"):
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
    if kind == "json":
        return json.dumps(ROWS).encode()
    return parquet(ROWS) if kind == "parquet" else separated("\t" if kind == "tsv" else ",")


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write bytes as a file and return its path."""

    def write(content: bytes, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def contents(path: Path) -> list[Any]:
    return [row for _, row in rows(path)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_rows(put: Callable[..., Path], kind: str) -> None:
    assert contents(put(written(kind), f"data.v1.{kind}")) == ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_may_be_gzipped(put: Callable[..., Path], kind: str) -> None:
    assert contents(put(gzip.compress(written(kind)), f"DATA.{kind.upper()}.GZ")) == ROWS


def test_what_is_gzipped_is_known_by_its_content(put: Callable[..., Path]) -> None:
    assert contents(put(gzip.compress(written("jsonl")), "rows.jsonl")) == ROWS
    assert contents(put(written("jsonl"), "rows.jsonl.gz")) == ROWS


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(put: Callable[..., Path], kind: str) -> None:
    assert contents(put(b"\xef\xbb\xbf" + written(kind), f"rows.{kind}")) == ROWS


def test_a_half_written_line_is_named_and_the_rest_is_read(put: Callable[..., Path]) -> None:
    first, second, third = rows(put(b'{"prompt": "one"}\n\n[1]\n{"prompt": "tw'))
    assert (first.where, first.row) == ("line 1", {"prompt": "one"})
    assert second == ("line 3", Bad("not a JSON object with named columns"))
    assert third == ("line 4", Bad("not valid JSON; is the line cut off?"))


def test_a_line_of_fifty_megabytes_is_skipped_and_the_next_one_is_read(put: Callable[..., Path]) -> None:
    long, after = rows(put(b'{"prompt": "' + b"x" * 50_000_000 + b'"}\n{"prompt": "short"}\n'))
    assert long == ("line 1", Bad("longer than 10 MB, which no row of comparisons is"))
    assert after == ("line 2", {"prompt": "short"})


def test_a_file_that_is_one_long_line_ends(put: Callable[..., Path]) -> None:
    [long] = rows(put(b"x" * 30_000_000))
    assert isinstance(long.row, Bad)


def test_json_nested_without_end_is_one_bad_row(put: Callable[..., Path]) -> None:
    [deep] = rows(put(b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"))
    assert deep.row == Bad("JSON nested too deeply")


def test_the_only_list_in_a_json_object_holds_the_rows(put: Callable[..., Path]) -> None:
    assert contents(put(json.dumps({"version": 1, "data": ROWS}).encode(), "rows.json")) == ROWS


@pytest.mark.parametrize("content", [b'{"a": [1], "b": [2]}', b'"text"', b"12"])
def test_json_without_a_list_of_rows_is_refused(put: Callable[..., Path], content: bytes) -> None:
    with pytest.raises(BadInput, match=r"rows\.json holds no list of rows"):
        contents(put(content, "rows.json"))


def test_json_with_one_object_a_line_is_told_its_right_name(put: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match=r"one object a line, name it \.jsonl"):
        contents(put(written("jsonl"), "rows.json"))


def test_cells_that_hold_messages_are_opened(put: Callable[..., Path]) -> None:
    chat = [{"role": "user", "content": "Why?"}]
    cell = json.dumps(chat).replace('"', '""')
    [row] = contents(put(f'prompt,note\n"{cell}",[sic\n'.encode(), "rows.csv"))
    assert row == {"prompt": chat, "note": "[sic"}


def test_rows_with_too_many_or_too_few_cells_are_named(put: Callable[..., Path]) -> None:
    few, many, right = rows(put(b"prompt,chosen\nlonely\na,b,c\na,b\n", "rows.csv"))
    assert few == ("row 2", Bad("fewer cells than the header names"))
    assert many == ("row 3", Bad("more cells than the header names"))
    assert right.row == {"prompt": "a", "chosen": "b"}


def test_a_missing_quotation_mark_is_said_with_the_last_whole_line(put: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match=r"rows\.csv, near line 2: .*Is a quotation mark missing\?"):
        contents(put(b'prompt,chosen\na,b\n"a,b\n', "rows.csv"))


def test_parquet_lists_come_as_lists(put: Callable[..., Path]) -> None:
    votes = [{"votes": [{"annotator": "Ann", "choice": "a"}]}]
    assert contents(put(parquet(votes), "rows.parquet")) == votes


@pytest.mark.parametrize("name", [f"rows.{kind}" for kind in KINDS])
def test_an_empty_file_is_said_to_be_empty(put: Callable[..., Path], name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} is empty. Nothing was imported."):
        contents(put(b"", name))


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv"])
def test_text_that_is_not_utf_8_is_refused_with_advice(put: Callable[..., Path], kind: str) -> None:
    latin = written(kind).replace(b"Warum", "Wörum".encode("latin-1"))
    with pytest.raises(BadInput, match=r"is not UTF-8 text \(byte 0xf6\)\. Save it as UTF-8"):
        contents(put(latin, f"rows.{kind}"))


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "rows.gz", "rows.txt.gz", ".jsonl"])
def test_an_unknown_kind_of_file_is_told_the_known_ones(put: Callable[..., Path], name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} is of no known kind. Use jsonl, ndjson, json, csv, tsv, parquet"):
        contents(put(b"text", name))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["cut off", "checksum", "content"])
def test_a_broken_gzip_file_is_refused(put: Callable[..., Path], kind: str, damage: str) -> None:
    zipped = gzip.compress(written(kind))
    broken = {"cut off": zipped[:-12], "checksum": zipped[:-8] + b"12345678", "content": zipped[:10] + b"\xff" * 40}
    with pytest.raises(BadInput, match="is not a whole gzip file"):
        contents(put(broken[damage], f"rows.{kind}.gz"))


def test_a_broken_parquet_file_is_refused(put: Callable[..., Path]) -> None:
    whole = parquet(ROWS)
    for broken in (
        b"text",
        whole[:-30],
        whole[:-108] + b"\xff" * 100 + whole[-8:],
        whole[:4] + b"\xff" * 60 + whole[64:],
    ):
        with pytest.raises(BadInput, match=r"rows\.parquet is not a whole Parquet file"):
            contents(put(broken, "rows.parquet"))


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        contents(tmp_path / "rows.jsonl")
    with pytest.raises(NotFound):
        contents(tmp_path)
