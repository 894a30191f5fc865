"""The data directory: names, paths that exist, files that are whole or not there."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rlhf_app.errors import BadInput, NotFound
from rlhf_app.store import Store, checked_name, opened, read_json, write_json

ROW = {"prompt": "Why?", "response_a": "because", "response_b": "no reason"}


@pytest.mark.parametrize("name", ["a", "sample", "My-prefs_2.v1", "7", "x" * 64])
def test_a_name_may_hold_letters_digits_dots_and_dashes(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "-x", "_x", "a b", "ä", "x" * 65, "x\n", "x\0"])
def test_a_name_that_could_leave_the_directory_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"cannot be a name\. Use up to 64 letters"):
        checked_name(name)


def test_a_long_name_is_not_repeated_whole() -> None:
    with pytest.raises(BadInput) as caught:
        checked_name("/" * 10_000)
    assert len(str(caught.value)) < 300


def test_making_a_store_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    assert not store.home.exists()
    assert store.runs == tmp_path / "home" / "runs"
    assert store.runs.is_dir()


def test_a_dataset_is_there_when_its_description_is(imported: Callable[..., Store]) -> None:
    store = imported([ROW])
    folder = store.dataset("mine")
    (folder / "dataset.json").unlink()
    with pytest.raises(NotFound, match=r"There is no dataset 'mine'\. `datasets` lists"):
        store.dataset("mine")


def test_a_run_that_is_not_there_is_not_found(store: Store) -> None:
    (store.runs / "half").mkdir()
    for name in ("half", "other"):
        with pytest.raises(NotFound, match=f"There is no run '{name}'"):
            store.run(name)
    with pytest.raises(BadInput):
        store.run("../runs/half")


def test_no_dataset_chosen_is_an_error_a_user_can_read(store: Store) -> None:
    with pytest.raises((BadInput, NotFound)):
        store.dataset(None)  # type: ignore[arg-type]


def test_json_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"text": "短", "numbers": [1, 2.5, None]})
    write_json(path, {"text": "短 again"})
    assert read_json(path) == {"text": "短 again"}
    assert "短" in path.read_text(encoding="utf-8")


def test_json_that_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, 1)
    with pytest.raises(TypeError):
        write_json(path, [1, 2, object()])
    assert (read_json(path), list(tmp_path.iterdir())) == (1, [path])


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    insert = "INSERT INTO verdicts VALUES ('mine', '1', 'a', 1, 0, 0, 0)"
    with pytest.raises(RuntimeError), store.annotations() as db:
        db.execute(insert)
        raise RuntimeError("in between")
    with store.annotations() as db:
        assert db.execute("SELECT count(*) FROM verdicts").fetchone()[0] == 0


def test_three_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(3)

    def count(store: Store) -> int:
        start.wait()
        with store.annotations() as db:
            return db.execute("SELECT count(*) FROM annotations").fetchone()[0]

    with ThreadPoolExecutor(3) as visitors:
        for attempt in range(200):
            assert list(visitors.map(count, [Store(tmp_path / str(attempt))] * 3)) == [0] * 3


def test_a_file_is_closed_when_its_block_ends(tmp_path: Path) -> None:
    with opened(tmp_path / "some.db") as db:
        assert db.execute("SELECT 1 AS one").fetchone()["one"] == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_a_dataset_is_read_beside_the_judgements_of_it(imported: Callable[..., Store]) -> None:
    store = imported([{**ROW, "id": "1", "judgement": "tie"}])
    with store.comparisons("mine") as db:
        found = db.execute("SELECT c.id, v.verdict FROM comparisons c JOIN judged.verdicts v ON v.comparison_id = c.id")
        assert [tuple(row) for row in found] == [("1", "tie")]
