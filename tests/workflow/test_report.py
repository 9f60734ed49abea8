"""The report page in a real browser: complete, self-contained, without errors."""

import re
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


def test_every_figure_is_drawn_and_captioned(page):
    widths = page.eval_on_selector_all("figure[id] img", "all => all.map(i => i.naturalWidth)")
    assert len(widths) == 21
    assert min(widths) > 300
    captions = page.eval_on_selector_all(
        "figure[id] figcaption", "all => all.map(c => c.textContent)"
    )
    assert all(re.search(r"(Fig\. |Theory |Deconvolution )\w", caption) for caption in captions)


def test_what_was_asked_and_found_the_key_figure_and_the_verdicts_are_on_one_screen(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.locator(".lead h2").all_text_contents() == [
        "What was asked", "What was found", "Verdicts on the paper's own claims",
    ]  # fmt: skip
    assert page.locator(".lead li").count() == 5
    assert page.locator(".lead img").count() == 1
    bottom = page.evaluate("document.querySelector('.lead').getBoundingClientRect().bottom")
    assert bottom + page.evaluate("scrollY") <= 800


def test_every_link_leads_somewhere(page):
    targets = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    assert len(targets) > 20
    assert [t for t in targets if not page.locator(f'[id="{t[1:]}"]').count()] == []


def rows(page):
    return page.locator("tr[data-verdict]")


def test_the_page_has_all_claims_by_experiment(page, finished):
    claims = pd.read_csv(finished.folder / "results/smoke/summary/claims.csv")
    assert rows(page).locator("td.verdict").all_text_contents() == list(claims.verdict)
    tables = page.locator("table.claims")
    counts = [tables.nth(i).locator("tr[data-verdict]").count() for i in range(tables.count())]
    assert counts == claims.groupby("experiment", sort=False).size().tolist()
    groups = claims.groupby(["experiment", "claim"], sort=False).ngroups
    assert page.locator("tbody.claim").count() == groups


def test_claims_are_filtered_by_verdict_in_all_tables_alike(page, finished):
    claims = pd.read_csv(finished.folder / "results/smoke/summary/claims.csv")
    filters = page.locator(".filter select")
    filters.first.select_option("not reproduced")
    visible = rows(page).locator("visible=true")
    assert visible.count() == claims.verdict.eq("not reproduced").sum() > 0
    assert filters.last.input_value() == "not reproduced"
    filters.last.select_option("")
    assert visible.count() == len(claims)


def test_without_scripts_the_page_shows_all_and_no_filter(page, finished):
    context = page.context.browser.new_context(java_script_enabled=False, offline=True)
    tab = context.new_page()
    tab.goto(page.url)
    assert rows(tab).locator("visible=true").count() == rows(page).count()
    assert tab.locator(".filter").locator("visible=true").count() == 0
    context.close()


def test_a_link_to_a_folded_table_opens_it(page):
    folded = page.locator("details#table-statements")
    assert folded.get_attribute("open") is None
    page.evaluate("location.hash = 'table-statements'")
    page.wait_for_function("document.querySelector('#table-statements').open")
    page.evaluate("document.querySelector('#table-statements').open = false")
    page.evaluate("history.replaceState(null, '', location.pathname)")


def test_it_prints_with_figures_whole_and_headings_kept_with_what_follows(page):
    page.emulate_media(media="print")
    styles = page.evaluate(
        "() => ['h2', 'h3', 'figure', 'tbody.claim'].map(name => { const style ="
        "getComputedStyle(document.querySelector(name)); return [style.breakAfter, "
        "style.breakInside]; })"
    )
    assert [after for after, _ in styles[:2]] == ["avoid", "avoid"]
    assert [inside for _, inside in styles[2:]] == ["avoid", "avoid"]
    page.emulate_media(media="null")  # as a reader prints it
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 5 < pages <= 30


def test_the_page_is_small(finished):
    assert (finished.folder / "reports/smoke/report.html").stat().st_size < 5e6


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
    assert page.locator("body > h2").all_text_contents() == [
        "Experiment 1: recovery", "Experiment 2: clustering", "Theory, measured",
        "Clustering by mixtures", "Deconvolution", "Terms", "The run",
    ]  # fmt: skip


def test_every_wide_thing_scrolls_on_its_own(page):
    assert page.locator("table").count() == page.locator(".scroll table").count()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_not_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_after_all_this_the_console_is_silent(page):
    assert page.console == []
