"""The site is built by Sphinx without a warning, loads nothing from elsewhere, and can be read by everybody."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from docs.website.__main__ import build, run_sphinx
from docs.website.navigation import SECTIONS
from docs.website.staging import CHECKOUT, stage
from docs.website.writing import render_kept, render_pages
from tests.npm_packages import npm_package

#: Pages that a browser looks at: the first one, pictures, a wide table, code, a section.
LOOKED_AT = ("index", "how-it-learns", "settings", "privacy", "commands", "operators")
#: Where a page of the site may lead by itself, without a click.
_LOADED = re.compile(
    r"""(?:<(?:script|img|source|iframe)\b[^>]*?\bsrc|<link\b[^>]*?\bhref)=["'](https?:)?//[^"']*""", re.I
)
_STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//""", re.I)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "built"
    assert build(out) == 0, "Sphinx warned: what it said stands above"
    return out


def test_every_page_is_built_and_has_one_place() -> None:
    named = [page.source for section in SECTIONS for page in section.pages if page.source is not None]
    there = [str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("docs/*.md") if path.name != "index.md"]
    assert sorted(set(there) - set(named)) == [], "give it a place in docs/website/navigation.py"
    assert len(named) == len(set(named))


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = [page for section in SECTIONS for page in section.pages]
    present = [page.name for page in pages if page.source is None or (CHECKOUT / page.source).exists()]
    decisions = [f"adr/{path.stem}" for path in CHECKOUT.glob("docs/adr/*.md")]
    assert [name for name in [*present, *decisions, "index"] if not (site / f"{name}.html").is_file()] == []


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = "[there](nowhere.md) [here](privacy.md#no-such-part) ![shown](images/none.svg)"
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "index.md").write_text(f"# Home\n\n{broken}\n\n```{{toctree}}\nprivacy\n```\n")
    (tmp_path / "sources" / "privacy.md").write_text("# Privacy\n")
    assert run_sphinx(tmp_path / "sources", tmp_path / "out") != 0
    told = capfd.readouterr().err
    assert all(word in told for word in ("nowhere.md", "no-such-part", "images/none.svg"))


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    styles = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    assert len(pages) > 30
    assert [(path.name, found[0]) for path, text in pages.items() for found in _LOADED.finditer(text)] == []
    assert [path.name for path, text in styles.items() if _STYLE.search(text)] == []


def test_what_the_checkout_keeps_is_what_the_code_gives() -> None:
    stale = [path for path, text in render_kept().items() if (CHECKOUT / path).read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs` and commit what it writes"


def test_no_path_of_this_machine_is_in_the_pages(tmp_path: Path) -> None:
    stage(tmp_path, render_pages())
    held = [path.name for path in tmp_path.rglob("*.md") if str(CHECKOUT) in path.read_text(encoding="utf-8")]
    assert held == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: infra/test-machine.sh, or apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Path, browser: Browser, scheme: str) -> None:
    axe = (npm_package("axe-core", "4.14.1") / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two literals
    page = context.new_page()
    for name in LOOKED_AT:
        page.goto((site / f"{name}.html").as_uri())
        page.evaluate(axe)
        found = page.evaluate("async () => (await axe.run()).violations")
        grave = [
            (name, one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert grave == []
    context.close()


@pytest.mark.parametrize("width", [390, 1300])
def test_nothing_is_wider_than_the_screen_or_asked_of_the_web(site: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in LOOKED_AT:
        page.goto((site / f"{name}.html").as_uri())
        assert _overflow(page) <= 0, name
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


def _overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_search_finds_a_page(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((site / "search.html").as_uri() + "?q=holdback")
    page.wait_for_selector("#search-results a", timeout=10_000)
    assert any(
        "reviewing" in (link.get_attribute("href") or "") for link in page.query_selector_all("#search-results a")
    )
    page.close()
