"""The documentation site: complete, without dead links, and whole without the internet."""

import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import ROOT

import groupsparse as gs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
OTHERS = ("_static", "_downloads", "index.html")
# TeX that nothing has rendered; code may have it.
RAW = """() => {
    const copy = document.body.cloneNode(true);
    copy.querySelectorAll("pre, code, script, style, mjx-container").forEach(e => e.remove());
    return copy.textContent.match(/\\\\[a-zA-Z(\\[]+|\\$\\$/g) || [];
}"""
DRAWN = """() => [...document.querySelectorAll(".math")].map(math => {
    const drawn = math.querySelector("mjx-container");
    return Boolean(drawn) && drawn.offsetWidth > 0 && !math.querySelector("mjx-merror");
})"""

# The content scrolls by itself where it is too wide.
WIDTH = """() => Math.max(...[document.documentElement, document.querySelector(".content")]
    .map(e => e.scrollWidth))"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What `make docs` builds, with the messages of Sphinx."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", ROOT / "docs"]
    command = [sys.executable, "-m", "sphinx", *options, ROOT, folder]
    return folder, subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(built) -> Path:
    return built[0]


def pages(site: Path) -> list[Path]:
    """The pages of the site; those of _static and _downloads are none."""
    found = [page.relative_to(site) for page in sorted(site.rglob("*.html"))]
    return [site / page for page in found if page.parts[0] not in OTHERS]


class Links(HTMLParser):
    """The ids of a page, and the addresses that it names."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids, self.addresses = set(), set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attributes: list) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src"):
                self.addresses.add(value)


@pytest.fixture(scope="module")
def visited(site):
    """Every page opened at the width of a telephone: what it asked for, said and drew."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    found = {}
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        said, asked = [], []
        tab.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.route(lambda url: not url.startswith(("file:", "data:")), lambda r: r.abort())
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto((site / "index.html").as_uri())
        tab.wait_for_url("**/docs/index.html")  # it leads to the start
        for page in pages(site):
            said.clear()
            asked.clear()
            tab.goto(page.as_uri())
            tab.evaluate("window.MathJax?.startup?.promise")
            found[page.relative_to(site).as_posix()] = {
                "title": tab.title(),
                "said": [*said],
                "foreign": [url for url in asked if not url.startswith(("file:", "data:"))],
                "width": tab.evaluate(WIDTH),
                "drawn": tab.evaluate(DRAWN),
                "raw": tab.evaluate(RAW),
            }
        browser.close()
    return found


def without(visited: dict, key: str, expected: object) -> dict:
    """The pages on which something is not as expected, and what it is."""
    return {page: seen[key] for page, seen in visited.items() if seen[key] != expected}


def test_the_site_is_built_without_warnings(built):
    site, result = built
    assert (result.returncode, result.stderr) == (0, "")
    sources = [p.relative_to(ROOT).with_suffix(".html") for p in ROOT.glob("docs/**/*.md")]
    assert [page for page in sources if not (site / page).exists()] == []


def test_every_page_opens_without_an_error(visited):
    assert len(visited) > 30
    assert [page for page, seen in visited.items() if not seen["title"]] == []
    assert without(visited, "said", []) == {}


def test_no_page_asks_for_anything_outside(visited):
    assert without(visited, "foreign", []) == {}


def test_no_page_is_wider_than_a_telephone(visited):
    assert without(visited, "width", 390) == {}


def test_every_formula_is_drawn(visited):
    assert sum(len(seen["drawn"]) for seen in visited.values()) > 50
    assert [page for page, seen in visited.items() if not all(seen["drawn"])] == []
    assert without(visited, "raw", []) == {}


def test_no_link_of_the_site_is_dead(site):
    found = {page: Links(page) for page in pages(site)}
    dead = []
    for page, links in found.items():
        for address in links.addresses:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            known = found[target].ids if target in found else {url.fragment}
            if not target.is_file() or (url.fragment and unquote(url.fragment) not in known):
                dead.append((page.name, address))
    assert dead == []


def test_every_public_name_is_on_one_page_of_the_reference_and_no_other_is(site):
    entries = Counter(
        name
        for page in site.glob("docs/api/*.html")
        for name in Links(page).ids
        if name.count(".") == 1 and name.startswith("groupsparse.")
    )
    public = {f"groupsparse.{name}" for name in gs.__all__ if name != "__version__"}
    assert entries == Counter(public)
