"""What commands share: the store, and how results and progress are told."""

import json
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ..records import as_json_value
from ..sample import ensure_sample
from ..settings import read_settings
from ..store import Store
from ..training import runs

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line of stdout.")]
DatasetName = Annotated[str, typer.Argument(help="A dataset's name; `datasets` lists them.")]
RunName = Annotated[str, typer.Argument(help="A run's id, or `latest` for the newest with a model.")]


def store() -> Store:
    """Return the store, with the sample in it."""
    opened = Store(read_settings(os.environ).home)
    ensure_sample(opened)
    return opened


def say(text: str) -> None:
    """Tell a person how it goes; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


def show(value: Any, as_json: bool, lines: Callable[[], list[str]]) -> None:
    """Print a result: as JSON on one line, or as lines for a person."""
    for line in [json.dumps(as_json_value(value), ensure_ascii=False)] if as_json else lines():
        print(line)


def run_id(opened: Store, name: str) -> str:
    """Return the run that a command names."""
    return runs.newest_model(opened).id if name == "latest" else name
