"""The report page in a real browser: complete, self-contained, without errors."""

import shutil

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


@pytest.fixture(scope="module")
def page(finished):
    """The report opened offline; ``page.requested`` and ``page.console`` record what it did."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(offline=True)
        tab = context.new_page()
        tab.requested, tab.console = [], []
        tab.on("request", lambda request: tab.requested.append(request.url))
        tab.on("console", lambda message: tab.console.append(message.text))
        tab.on("pageerror", lambda error: tab.console.append(str(error)))
        tab.goto((finished.folder / "reports/smoke/report.html").as_uri())
        yield tab
        browser.close()


def test_the_page_requests_nothing_but_itself(page):
    others = [url for url in page.requested if not url.startswith("data:")]
    assert [url.rsplit("/", 1)[-1] for url in others] == ["report.html"]


def test_the_console_stays_silent(page):
    assert page.console == []


def test_every_figure_is_drawn_and_captioned(page):
    widths = page.eval_on_selector_all("figure img", "all => all.map(i => i.naturalWidth)")
    assert len(widths) == 14
    assert min(widths) > 300
    captions = page.eval_on_selector_all("figcaption", "all => all.map(c => c.textContent)")
    assert all(caption.startswith(("Fig. ", "Theory ")) for caption in captions)


def test_the_claims_come_first_and_all_of_them(page, finished):
    claims = pd.read_csv(finished.folder / "results/smoke/summary/claims.csv")
    assert page.locator("h2").first.text_content() == "Claims"
    rows = page.locator("table").first.locator("tbody tr")
    assert rows.count() == len(claims)
    assert rows.locator("td.verdict").all_text_contents() == list(claims.verdict)


def test_rows_that_use_labels_stand_apart(page):
    captioned = page.locator(".caption", has_text="ACC (%) on digits")
    headline, supervised = (
        captioned.nth(i).locator("xpath=following-sibling::div[1]").text_content() for i in (0, 1)
    )
    assert "init class" not in headline
    assert "oracle" not in headline
    assert "init class" in supervised
    assert "oracle" in supervised


def test_every_experiment_has_one_section(page):
    assert page.locator("h2").all_text_contents() == [
        "Claims", "Experiment 1: recovery", "Experiment 2: clustering", "Theory, measured",
        "Configuration", "Versions",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_not_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
