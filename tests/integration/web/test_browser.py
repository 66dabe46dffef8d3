"""Every page in a real browser: nothing an assistive tool stumbles over, light and dark, wide and narrow.

With UNDERSTUDY_SCREENSHOTS set, the pictures of the documentation are made anew, in docs/images.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.integration.web.conftest import Dashboard
from tests.npm_packages import npm_package

_IMAGES = Path(__file__).parents[3] / "docs" / "images"
_SECONDS = 30_000
Scheme = Literal["light", "dark"]
#: Pages, by name; `{…}` is filled in from the database.
PAGES = {
    "installations": "",
    "overview": "/{id}",
    "examples": "/{id}/examples",
    "example": "/{id}/examples/{example}",
    "comments": "/{id}/comments",
    "lineage": "/{id}/comments/{comment}",
    "kept": "/{id}/kept",
    "runs": "/{id}/runs",
    "run": "/{id}/runs/{run}",
    "adapters": "/{id}/adapters",
    "gate": "/{id}/adapters/{adapter}",
    "compare": "/{id}/adapters/compare?left={adapter}&right={other}",
    "work": "/{id}/work",
    "settings": "/{id}/settings",
    "missing": "/{id}/examples/nothing",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: infra/test-machine.sh, or apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def addresses(dashboard: Dashboard) -> dict[str, str]:
    from app.store.database import reading
    from app.store.overviews import select_comments
    from app.store.rounds import load_pointer, select_training_runs

    with reading(dashboard.database) as session:
        pointer = load_pointer(session, dashboard.installation_id)
        assert pointer is not None
        values = {
            "id": str(dashboard.installation_id),
            "example": dashboard.example(),
            "run": select_training_runs(session, dashboard.installation_id)[0].id,
            "adapter": pointer.adapter_name or "",
            "other": pointer.previous or "",
            "comment": select_comments(session, dashboard.installation_id, None, limit=1, before=None)[0].fingerprint,
        }
    return {name: f"{dashboard.url}/dashboard{path.format(**values)}" for name, path in PAGES.items()}


def _enter(browser: Browser, dashboard: Dashboard, login: str, scheme: Scheme, width: int = 1280) -> BrowserContext:
    """A person's browser, through GitHub's pages."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 860})
    context.set_default_timeout(_SECONDS)
    page = context.new_page()
    dashboard.standin.browse_as(login)
    page.goto(f"{dashboard.url}/dashboard")
    page.get_by_role("link", name="Sign in with GitHub").click()
    page.get_by_role("heading", name="Installations").wait_for()
    page.close()
    return context


def _violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    page.evaluate((npm_package("axe-core", "4.14.1") / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation(
    browser: Browser, dashboard: Dashboard, addresses: dict[str, str], scheme: Scheme
) -> None:
    context = _enter(browser, dashboard, "root", scheme)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    found = {}
    for name, address in addresses.items():
        page.goto(address)
        found[name] = _violations(page)
        page.set_viewport_size({"width": 390, "height": 844})
        found[f"{name}, narrow"] = _violations(page) + _overflow(page)
        page.set_viewport_size({"width": 1280, "height": 860})
    context.close()
    assert {name: list_ for name, list_ in found.items() if list_} == {}
    assert [text for text in told if "404" not in text] == []  # a page that is missing is one of them


def _overflow(page: Page) -> list[str]:
    wide, had = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [] if wide <= had else [f"{wide} pixels wide in a window of {had}"]


def test_the_sign_in_page_is_accessible(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{dashboard.url}/dashboard/sign-in")
    assert _violations(page) == []
    context.close()


def test_keys_alone_lead_through_a_page(browser: Browser, dashboard: Dashboard, addresses: dict[str, str]) -> None:
    """The first stop is the skip link; every stop is seen."""
    context = _enter(browser, dashboard, "root", "light")
    page = context.new_page()
    page.goto(addresses["examples"])
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "words"
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    context.close()


def test_a_person_approves_in_the_browser(browser: Browser, dashboard: Dashboard) -> None:
    context = _enter(browser, dashboard, "mara", "light")
    page = context.new_page()
    page.goto(f"{dashboard.url}{dashboard.path('/examples')}?decision=none&kind=review_comment")
    page.locator("td a.words").first.click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("main")).to_contain_text("by mara", timeout=30_000)
    expect(page.get_by_role("button", name="Approve")).to_be_disabled(timeout=30_000)
    context.close()


@pytest.mark.parametrize(
    ("name", "scheme"), [("overview", "light"), ("examples", "light"), ("gate", "light"), ("example", "dark")]
)
def test_pictures_of_the_documentation(
    browser: Browser,
    dashboard: Dashboard,
    addresses: dict[str, str],
    tmp_path: Path,
    *,
    name: str,
    scheme: Scheme,
) -> None:
    """Always drawn, so that it works on the day it is asked for; kept only then."""
    context = _enter(browser, dashboard, "root", scheme, width=1200)
    page = context.new_page()
    page.goto(addresses[name])
    folder = _IMAGES if os.environ.get("UNDERSTUDY_SCREENSHOTS") else tmp_path
    file = folder / f"dashboard-{name}.png"
    page.screenshot(path=file)
    context.close()
    assert 10_000 < file.stat().st_size < 150_000
