"""What the Hub's failures are to the one who imports: one sentence each, told by a Hub of our own on this computer.

The address of the Hub is read when huggingface_hub is imported, so the rows are read in a process of their own.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rlhf_app.data.hub_rows import OFFERED, HubSource, hub_rows, is_hub_id
from rlhf_app.errors import BadInput

ROOT = Path(__file__).parents[2]

READ = """
import sys, time
time.sleep = lambda seconds: None  # huggingface_hub tries six times, with 25 seconds of pauses
from rlhf_app.data.hub_rows import HubSource, hub_rows
from rlhf_app.errors import AppError
try:
    print("rows", [row for _, row in hub_rows(HubSource(sys.argv[1]))])
except AppError as error:
    print(type(error).__name__, error)
"""

ANSWERS = {"missing": (404, "RepoNotFound"), "private": (401, "RepoNotFound"), "locked": (401, ""),
           "gated": (403, "GatedRepo"), "broken": (500, ""), "script": (200, "")}  # fmt: skip
"""How the stand-in answers for a dataset of `someone`: the status and the code in the header, as the Hub does."""


class StandIn(BaseHTTPRequestHandler):
    """Answers every path by the dataset's name in it; where the answer is 200, every file exists and is empty."""

    def do_HEAD(self) -> None:
        status, code = ANSWERS[next(name for name in ANSWERS if f"someone/{name}" in self.path)]
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", '"0000"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815 (http.server names them)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """The address of a running stand-in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str, str], str]:
    """Read a dataset of a Hub in a process of its own, in an empty folder, and return what it prints."""

    def read(endpoint: str, dataset: str) -> str:
        offline = {"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf")}
        env = {**os.environ, **offline, "HF_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", READ, dataset], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return read


@pytest.mark.parametrize("name", ["missing", "private"])
def test_a_dataset_that_is_not_there_or_private(told: Callable[[str, str], str], hub: str, name: str) -> None:
    assert told(hub, f"someone/{name}") == (
        f"ServiceError The Hub has no dataset 'someone/{name}', or it is private. Check the id; set HF_TOKEN if it is."
    )


@pytest.mark.parametrize("name", ["locked", "gated"])
def test_a_dataset_whose_terms_are_not_accepted(told: Callable[[str, str], str], hub: str, name: str) -> None:
    assert told(hub, f"someone/{name}") == (
        f"ServiceError The Hub does not let us read 'someone/{name}'. "
        "Accept its terms there and set HF_TOKEN in the environment."
    )


def test_a_hub_that_is_broken_cannot_be_reached(told: Callable[[str, str], str], hub: str) -> None:
    assert told(hub, "someone/broken").startswith("ServiceError The Hub cannot be reached for 'someone/broken'.")


def test_a_closed_port_cannot_be_reached(told: Callable[[str, str], str]) -> None:
    assert told("http://127.0.0.1:9", "someone/prefs") == (
        "ServiceError The Hub cannot be reached for 'someone/prefs'. "
        "Check the network, or download the file and import it from disk."
    )


def test_a_dataset_that_is_a_program_is_refused(told: Callable[[str, str], str], hub: str) -> None:
    error, sentence = told(hub, "someone/script").split(" ", 1)
    assert error in ("BadInput", "ServiceError")
    assert "someone/script" in sentence


def test_an_id_never_reads_a_folder_of_this_computer(told: Callable[[str, str], str], hub: str, tmp_path: Path) -> None:
    folder = tmp_path / "someone" / "missing"
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text(json.dumps({"prompt": "a secret"}) + "\n", encoding="utf-8")
    answer = told(hub, "someone/missing")
    assert "secret" not in answer
    assert answer.startswith("ServiceError The Hub has no dataset")


@pytest.mark.parametrize(
    "text", ["prefs", "someone/", "/etc/passwd", "../up/here", "a/b/c", "https://hub/a/b", "", "a /b"]
)
def test_what_is_no_id_is_shown_one(text: str) -> None:
    assert not is_hub_id(text)
    with pytest.raises(BadInput, match=f"is not a dataset's id. It looks like '{OFFERED}'"):
        next(hub_rows(HubSource(text)))


@pytest.mark.parametrize("text", [OFFERED, "Anthropic/hh-rlhf", "a1/b_2.c"])
def test_an_id_has_an_owner_and_a_name(text: str) -> None:
    assert is_hub_id(text)
