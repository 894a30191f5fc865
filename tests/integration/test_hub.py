"""A dataset of the Hub, read over HTTP from a stand-in that speaks as much of the Hub's API as streaming needs."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SHA = "1" * 40
ROWS = [{"instruction": f"Question {n}", "response-1": f"good {n}", "response-2": f"bad {n}"} for n in range(5)]
CONTENT = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
FILE = {"type": "file", "path": "train.jsonl", "oid": "2" * 40, "size": len(CONTENT)}
INFO = {"id": "team/falcon", "sha": SHA, "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0,
        "likes": 0, "siblings": [{"rfilename": "train.jsonl"}], "lastModified": "2024-01-01T00:00:00.000Z"}  # fmt: skip


class StandIn(BaseHTTPRequestHandler):
    """One dataset with one file."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path.split("?")[0]
        if "/resolve/" in path:
            self.send_file(path.endswith("/train.jsonl"))
        elif "/tree/" in path or "/paths-info/" in path:
            self.send(200, json.dumps([FILE]).encode())
        elif path.startswith("/api/datasets/team/falcon"):
            self.send(200, json.dumps(INFO).encode())
        else:
            self.send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def send_file(self, there: bool) -> None:
        if not there:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": SHA})
        start, _, end = self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = CONTENT[int(start) : int(end) + 1 if end else None]
        about = {"ETag": '"3"', "X-Repo-Commit": SHA, "Accept-Ranges": "bytes"}
        return self.send(206 if "range" in self.headers else 200, part, about)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = answer  # noqa: N815 (http.server names them)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_dataset_of_the_hub_is_imported_by_its_id(hub: str, tmp_path: Path) -> None:
    env = {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf"),
           "RLHF_APP_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(ROOT)}  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "rlhf_app",
        "import",
        "team/falcon",
        "--split",
        "train",
        "--name",
        "falcon",
        "--json",
    ]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["dataset"], told["layout"], told["comparisons"], told["skipped"]) == ("falcon", "Comparison", 5, {})
