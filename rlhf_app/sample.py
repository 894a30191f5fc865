"""The comparisons that come with the app, put into the store as the dataset `sample` the first time."""

from pathlib import Path

from .data.importing import keep, stage
from .store import Store

NAME = "sample"
FILE = Path(__file__).parents[1] / "assets" / "sample" / "comparisons.jsonl"
DESCRIPTION = "496 comparisons written for this app: eight kinds of task, English and some Chinese, each judged"


def ensure_sample(store: Store) -> None:
    """Import the sample if the store never had it; removing it is for good. Two starts at once import it once."""
    mark = store.datasets / ".sample"
    with store.alone("sample"):
        if not mark.exists() and not (store.datasets / NAME).exists():
            keep(store, stage(store, FILE), NAME, DESCRIPTION)
        mark.touch()
