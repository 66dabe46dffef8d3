"""The whole installation in a real browser: setup page, GitHub's own page, files, the service, a signed webhook."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from dotenv import dotenv_values
from playwright.sync_api import Page

from tests.browsing import browsing
from tests.integration.rehearsal.standin.world import World, small_world
from tests.integration.setup.programs import read_address, run, started, wait_ready
from tests.ports import free_port
from tests.waiting import eventually


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as found:
        yield found


def fill(page: Page, world: World, public_url: str) -> None:
    """The first page, and its button."""
    page.get_by_label("An Enterprise Server").check()
    page.get_by_label("Its address in a browser").fill(world.server.base_url)
    page.get_by_label("Its API's address").fill(world.server.base_url)
    page.get_by_label("Its name, as in its address").fill("acme")
    page.get_by_label("Its name, which people see").fill("Understudy of Acme")
    page.get_by_label("Where GitHub reaches the service").fill(public_url)
    page.get_by_role("button", name="Look at the manifest").click()


def create(page: Page) -> None:
    """The second page's button, and GitHub's."""
    page.get_by_role("button", name="Create it on GitHub").click()
    assert page.get_by_label("GitHub App name").input_value() == "Understudy of Acme"
    page.get_by_role("button", name="Create GitHub App").click()


def test_from_the_page_to_a_signed_webhook(world: World, tmp_path: Path, page: Page, tiny_base: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with started(tmp_path, "setup") as setup:
        page.goto(read_address(setup))
        fill(page, world, url)
        page.get_by_text("pull_requests: write").wait_for()
        create(page)
        page.get_by_role("heading", name="Understudy of Acme is made").wait_for()
        install = page.get_by_role("link", name="installations/new").get_attribute("href")
        told, _ = setup.communicate(timeout=30)
        assert setup.returncode == 0
    assert install is not None
    assert install in told

    settings = tmp_path / "data" / "understudy.env"
    values = dotenv_values(settings)
    key = Path(values["UNDERSTUDY_PRIVATE_KEY_FILE"] or "")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (settings, key)] == [0o600, 0o600]
    assert sorted(path.name for path in settings.parent.iterdir()) == [key.name, settings.name]
    assert values["UNDERSTUDY_APP_SLUG"] == "understudy-of-acme"
    assert world.standin.events == ["pull_request", "pull_request_review", "pull_request_review_comment",
                                    "pull_request_review_thread", "issue_comment", "label", "push",
                                    "repository"]  # fmt: skip

    with started(tmp_path, "serve", UNDERSTUDY_PORT=str(port)) as service:
        wait_ready(service, url, tmp_path)
        page.goto(install)
        page.get_by_role("button", name="Install").click()
        world.server.drain()
        attempts = [(one.delivery.event, one.status_code) for one in world.standin.webhooks.attempts]
        assert ("installation", 202) in attempts
        token = {"authorization": f"Bearer {values['UNDERSTUDY_OPERATOR_TOKEN']}"}
        status = f"{url}/operator/status"
        eventually(lambda: httpx.get(status, headers=token).json()["rows"]["us_installation"])
        page.get_by_role("heading", name="Understudy is installed").wait_for()
        examined = run(tmp_path, "doctor", "--json", UNDERSTUDY_PORT=str(port), UNDERSTUDY_BASE=str(tiny_base))
    found = {one["name"]: one["health"] for one in json.loads(examined.stdout)}
    assert "problem" not in found.values(), examined.stdout
    assert examined.returncode == 0
    for name in ("App and key", "App's permissions", "installation on acme", "webhooks", "service", "clock"):
        assert found[name] == "ok", examined.stdout
