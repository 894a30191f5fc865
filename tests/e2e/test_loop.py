"""The whole loop in one browser tab: import, judge, train (reloading the page and restarting the app), evaluate, score."""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Page, expect

from .conftest import ROOT, App

pytestmark = pytest.mark.e2e


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def own_file(folder: Path) -> Path:
    """Return a file with 60 of the sample's comparisons, of which 57 are judged, and one line cut off."""
    lines = (ROOT / "assets" / "sample" / "comparisons.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in itertools.islice(lines, 60)]
    for row in rows[:3]:
        del row["judgement"]
    path = folder / "own.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + '\n{"instruction": "cut', "utf-8")
    return path


def test_from_a_file_to_a_score(start_app: Callable[..., App], open_page: Callable[..., Page], tmp_path: Path) -> None:
    app = start_app()
    page = open_page(app)
    import_own_file(page, own_file(tmp_path))
    judge_three(page)
    start_training(page)
    page.reload()
    watch_to_the_end(app, page)
    evaluate(page)
    score(page)
    the_api_and_the_command_line_agree(app)
    assert "Traceback" not in app.told()


def import_own_file(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Add comparisons").click()
    page.locator("#import-file input[type=file]").set_input_files(path)
    report = page.locator("#import-report")
    expect(report).to_contain_text("60 comparisons")
    expect(report).to_contain_text("1 skipped: not valid JSON; is the line cut off? (first: line 61)")
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_text("60 comparisons are stored as 'own'.")).to_be_visible()
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("own")
    expect(page.locator("#place")).to_contain_text("1–25 of 60 comparisons")


def judge_three(page: Page) -> None:
    tab(page, "Annotate")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your name").press("Enter")
    judged = page.locator("#judged")
    expect(judged).to_contain_text("0 of 60 judged by you, 57 by anyone")
    page.locator("#card").click()
    for count, key in enumerate(("a", "b", "t"), 1):
        page.keyboard.press(key)
        expect(judged).to_contain_text(f"{count} of 60 judged by you")
    expect(judged).to_contain_text("60 by anyone")
    page.keyboard.press("u")
    expect(judged).to_contain_text("2 of 60 judged by you, 59 by anyone")
    page.keyboard.press("t")
    expect(judged).to_contain_text("3 of 60 judged by you")


def start_training(page: Page) -> None:
    tab(page, "Train")
    plan = page.locator("#plan")
    expect(plan).to_contain_text("by prompt, so that no prompt is on two sides", timeout=60_000)
    page.get_by_role("button", name="All settings").click()
    page.get_by_label("Epochs").fill("3")
    page.get_by_label("Max length").fill("96")
    page.get_by_label("Max length").press("Tab")
    expect(plan).to_contain_text("of the texts are cut off")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#status")).to_contain_text(re.compile("queued|running"), timeout=20_000)


def watch_to_the_end(app: App, page: Page) -> None:
    """The run goes on through a reload and a restart of the app, and the page shows it."""
    page.get_by_role("tab", name="Data").wait_for()
    tab(page, "Train")
    expect(page.locator("#status")).to_contain_text(re.compile(r"step \d+ of"), timeout=120_000)
    page.goto("about:blank")
    app.stop()
    app.start()
    page.goto(app.url)
    page.get_by_role("tab", name="Data").wait_for()
    tab(page, "Train")
    expect(page.locator("#status .pill")).to_have_text("finished", timeout=180_000)
    expect(page.get_by_text("watched pairs").first).to_be_visible()
    page.get_by_role("button", name="Log").click()
    expect(page.locator("#log textarea")).to_have_value(re.compile("Saving the model"))


def evaluate(page: Page) -> None:
    tab(page, "Evaluate")
    report = page.locator("#evaluation")
    expect(report).to_contain_text("Agrees with people on", timeout=30_000)
    for text in ("Longer wins", "First side wins", "By category", "saved model and training differ by"):
        expect(report).to_contain_text(text)


def score(page: Page) -> None:
    tab(page, "Score")
    page.get_by_role("button", name="What is depreciation?").click()
    page.locator("#score").click()
    result = page.locator("#result")
    expect(result).to_contain_text("Win probability", timeout=60_000)
    expect(result.get_by_role("img", name=re.compile(r"Win probability: A \d+ percent, B \d+ percent"))).to_be_visible()
    page.get_by_role("button", name="Add a response").click()
    page.get_by_label("Response C").fill("It is money.")
    page.locator("#score").click()
    expect(result).to_contain_text("exp r / Σ exp r", timeout=30_000)


def the_api_and_the_command_line_agree(app: App) -> None:
    """The running app, which has held the model since a click, and a new process give the same rewards."""
    responses = ["A cost spread over years.", "Hard to say."]
    served = Client(app.url, verbose=False).predict("What is depreciation?", responses, api_name="/score")
    command = [sys.executable, "-m", "rlhf_app", "score", "latest", "--prompt", "What is depreciation?", "--json"]
    command += [word for response in responses for word in ("--response", response)]
    done = subprocess.run(command, cwd=ROOT, env=app.environment, capture_output=True, text=True, timeout=120)
    alone = json.loads(done.stdout.splitlines()[-1])
    rewards = [[score["reward"] for score in each["scores"]] for each in (served, alone)]
    assert rewards[0] == pytest.approx(rewards[1], abs=1e-5)
    assert served["win_probability"] == pytest.approx(alone["win_probability"], abs=1e-5)
