"""Each tab as a visitor finds it: empty states, bad input, untrusted text, narrow screens, keyboard, access."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import App
from .test_loop import tab

pytestmark = pytest.mark.e2e

TABS = ("Data", "Annotate", "Argilla", "Train", "Evaluate", "Score")


@pytest.fixture
def page(app: App, open_page: Callable[..., Page]) -> Page:
    page = open_page(app)
    expect(page.locator("#place")).to_contain_text("1–25 of 496 comparisons")
    return page


def upload(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Add comparisons").click()
    page.locator("#import-file input[type=file]").set_input_files(path)


def test_the_sample_is_there_at_the_first_start(page: Page) -> None:
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("sample")
    page.get_by_test_id("cell-3-0").click()
    expect(page.locator("#reading")).to_contain_text("电饭煲")
    expect(page.locator("#statistics")).to_contain_text("summarization")


def test_paging_goes_forward_and_back(page: Page) -> None:
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#place")).to_contain_text("26–50 of 496")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#place")).to_contain_text("51–75 of 496")
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("#place")).to_contain_text("26–50 of 496")


def test_search_and_filters_narrow_the_table(page: Page) -> None:
    page.get_by_label("Search").fill("bleach")
    expect(page.locator("#place")).not_to_contain_text("496")
    page.get_by_label("Search").fill("no such words at all")
    expect(page.locator("#place")).to_contain_text("0 comparisons")
    page.get_by_label("Search").fill("")
    page.get_by_label("Judgement", exact=True).click()
    page.get_by_role("option", name="Tie").click()
    expect(page.locator("#place")).to_contain_text("1–16 of 16")


def test_score_offers_to_train_when_there_is_no_model(page: Page) -> None:
    tab(page, "Score")
    expect(page.get_by_text("No reward model is trained yet")).to_be_visible()
    expect(page.get_by_role("button", name="Train on the sample")).to_be_visible()
    tab(page, "Evaluate")
    expect(page.get_by_text("No model to evaluate")).to_be_visible()


def test_a_file_with_unknown_columns_is_mapped_and_read(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps({"ask": "Why?", "good": "Because.", "bad": "No."}) + "\n")
    upload(page, path)
    expect(page.get_by_text("odd.jsonl has the columns ask, good, bad").first).to_be_visible()
    expect(page.get_by_role("button", name="Read with these meanings")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "is empty"),
        ("latin.csv", "prompt,chosen,rejected\nWas?,sch\u00f6n,nein\n".encode("latin-1"), "is not UTF-8 text"),
        ("half.json", b'[{"prompt": "a"', "is not valid JSON"),
        ("same.jsonl", b'{"prompt": "p", "chosen": "x", "rejected": "x"}\n', "the two responses are the same text"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    page: Page, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    upload(page, path)
    expect(page.get_by_text(message).first).to_be_visible()


def test_a_dataset_of_three_rows_says_what_training_needs(page: Page, tmp_path: Path) -> None:
    rows = [{"prompt": f"Question {n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(3)]
    path = tmp_path / "three.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    upload(page, path)
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("three")
    tab(page, "Train")
    expect(page.locator("#plan")).to_contain_text("has 3 judged pairs; training needs at least 20", timeout=30_000)


def test_html_in_a_dataset_is_shown_and_never_run(page: Page, tmp_path: Path) -> None:
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> ${document.title='owned'}"
    path = tmp_path / "attack.jsonl"
    path.write_text(json.dumps({"prompt": attack, "response_a": attack + "a", "response_b": attack + "b"}) + "\n")
    upload(page, path)
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.locator("#place")).to_contain_text("1–1 of 1")
    page.get_by_test_id("cell-0-0").click()
    expect(page.locator("#reading")).to_contain_text("<script>")
    tab(page, "Annotate")
    page.get_by_label("Your name").fill("Grace")
    page.get_by_label("Your name").press("Enter")
    expect(page.locator("#card")).to_contain_text("<script>")
    assert page.title() == "Preference Lab"


def test_keys_do_not_judge_while_something_is_written(page: Page) -> None:
    tab(page, "Annotate")
    name = page.get_by_label("Your name")
    name.fill("Joan")
    name.press("Enter")
    expect(page.locator("#judged")).to_contain_text("0 of 496 judged by you")
    name.press_sequentially(" Abt")
    name.press("Enter")
    expect(page.locator("#judged")).to_contain_text("0 of 496 judged by you")
    expect(name).to_have_value("Joan Abt")


def test_the_name_is_kept_in_the_browser(page: Page) -> None:
    tab(page, "Annotate")
    page.get_by_label("Your name").fill("Mary")
    page.get_by_label("Your name").press("Enter")
    expect(page.locator("#judge-a")).to_be_enabled()
    page.reload()
    tab(page, "Annotate")
    expect(page.get_by_label("Your name")).to_have_value("Mary")
    expect(page.locator("#judge-a")).to_be_enabled()


def test_a_wrong_argilla_address_says_what_to_do(page: Page) -> None:
    tab(page, "Argilla")
    page.locator("#argilla-url textarea, #argilla-url input").fill("http://127.0.0.1:9")
    page.locator("#argilla-key input").fill("a key that must not be shown")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("No server answers at http://127.0.0.1:9").first).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("width", [1400, 390])
def test_no_tab_is_wider_than_the_screen(app: App, open_page: Callable[..., Page], width: int) -> None:
    page = open_page(app, width=width)
    for name in TABS:
        tab(page, name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_passes_the_accessibility_rules(app: App, open_page: Callable[..., Page], scheme: str) -> None:
    page = open_page(app, color_scheme=scheme)
    for name in TABS:
        tab(page, name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        expect(page.locator(".progress-text")).to_have_count(0)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        ours = [
            (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert not ours, (name, ours)


def test_on_a_space_visitors_look_and_do_not_write(
    start_app: Callable[..., App], open_page: Callable[..., Page]
) -> None:
    app = start_app(SPACE_ID="team/space", RLHF_APP_EDITORS="owner")
    page = open_page(app)
    tab(page, "Annotate")
    page.get_by_label("Your name").fill("Visitor")
    page.get_by_label("Your name").press("Enter")
    page.locator("#judge-a").click()
    expect(page.get_by_text("On this public Space visitors look and score.").first).to_be_visible()
    tab(page, "Score")
    expect(page.get_by_text("The first model is being trained on the sample")).to_be_visible(timeout=30_000)
    assert re.search(r"\d", page.locator("#untrained").inner_text())
    tab(page, "Train")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("On this public Space visitors look and score.").first).to_be_visible()
