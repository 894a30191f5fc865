"""`make bench`: print the README's table. Each row runs ours and the obvious way in turn, and takes the best of a few."""

import contextlib
import io
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from rlhf_app.sample import ensure_sample
from rlhf_app.store import Store

from . import browsing, scoring, training


def best(run: Callable[[], object], times: int) -> float:
    """Return the shortest of a few runs, in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def row(name: str, obvious_name: str, obvious: Callable, ours: Callable, times: int) -> str:
    """Return a line of the table."""
    ours(), obvious()  # warm
    slow, fast = (best(each, times) for each in (obvious, ours))
    return f"| {name} | {obvious_name} | {slow:.3g} s | {fast:.3g} s | {slow / fast:.1f} × |"


def main() -> None:
    warnings.simplefilter("ignore")
    print("| What | The obvious way | its time | ours | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        ensure_sample(store)
        for module in (browsing, scoring, training):
            for case in module.cases(store):
                print(row(*case), flush=True)


if __name__ == "__main__":
    main()
