"""What the tests share: a store of their own, the sample in it, and small files."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")

from rlhf_app.data.importing import keep, stage
from rlhf_app.sample import ensure_sample
from rlhf_app.store import Store

CONVARG = Path(__file__).parents[2] / "shared" / "data" / "convarg"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "home")


@pytest.fixture
def sample(store: Store) -> Store:
    """A store with the sample in it."""
    ensure_sample(store)
    return store


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as a JSONL file and return its path."""

    def write(rows: list[Any], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def imported(store: Store, jsonl: Callable[..., Path]) -> Callable[..., Store]:
    """Import rows as a dataset and return the store."""

    def bring(rows: list[Any], name: str = "mine") -> Store:
        keep(store, stage(store, jsonl(rows)), name)
        return store

    return bring
