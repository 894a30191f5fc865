"""A real app in a process of its own, and a real browser that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from rlhf_app.store import Store
from rlhf_app.training import runs

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


class App:
    """The app as a user starts it: `python app.py`, with its log in a file."""

    def __init__(self, home: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.home, self.log = home, home.with_suffix(".log")
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "RLHF_APP_HOME": str(home),
            "GRADIO_SERVER_PORT": str(self.port),
            **environment,
        }
        self.environment.setdefault("GRADIO_SERVER_NAME", "127.0.0.1")
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"The app did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def end_runs(self) -> None:
        """Stop the training that went on when the app ended, as it should."""
        store = Store(self.home)
        for run in runs.every(store):
            if run.alive:
                runs.stop(store, run.id)

    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., App]]:
    """Start an app with a home and environment of its own."""
    apps: list[App] = []

    def start(**environment: str) -> App:
        apps.append(App(tmp_path_factory.mktemp("app") / "home", **environment))
        return apps[-1]

    yield start
    for app in apps:
        app.stop()
        app.end_runs()


@pytest.fixture(scope="session")
def app(start_app: Callable[..., App]) -> App:
    """One app for the tests that do not mind each other."""
    return start_app()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: the one on PATH, else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an app in a browser of its own; any script error or request to elsewhere fails the test."""
    wrong: list[str] = []
    contexts = []

    def open_at(app: App, width: int = 1400, **options: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: local(request.url) or wrong.append(request.url))
        page.goto(app.url)
        page.get_by_role("tab", name="Data").wait_for()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not wrong


def local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))
