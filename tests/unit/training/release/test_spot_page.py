"""The blind page in a real browser: answered with the keyboard alone, it gives the file that the gate reads."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from app.domain.evals import SpotCheck
from app.domain.releases import SpotSheet
from training.release.folder import SPOT_CHECK
from training.release.spot_check import PAIRS, SHEET
from training.release.spotting import make_sheet, take_answers

AT = datetime(2026, 1, 2, tzinfo=UTC)
_FOCUSED = "() => [document.activeElement.name ?? '', document.activeElement.value ?? '']"


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: infra/test-machine.sh, or apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def _tick(page: Page, sheet: SpotSheet, *, ours: int, theirs: int) -> None:
    """Through all boxes by the tab key; would not ship the first of either side, whichever column they are in."""
    for number, pair in enumerate(sheet.pairs):
        for side in ("left", "right"):
            page.keyboard.press("Tab")
            assert page.evaluate(_FOCUSED) == [side, pair.example]
            is_ours = pair.adapter_is_left == (side == "left")
            if number < (ours if is_ours else theirs):
                page.keyboard.press("Space")


@pytest.mark.parametrize(("ours", "verdict"), [(3, "promote"), (4, "reject")])
def test_twenty_pairs_are_answered_by_keyboard_and_heard_by_the_gate(
    run_folder: Path, tmp_path: Path, page: Page, ours: int, verdict: str
) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    place = make_sheet(run_folder)
    sheet = SpotSheet.model_validate_json((run_folder / SHEET).read_text())
    page.goto(place.as_uri())
    _tick(page, sheet, ours=ours, theirs=7)
    page.keyboard.press("Tab")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    answers = tmp_path / saved.value.suggested_filename
    saved.value.save_as(answers)
    assert answers.name == "spot-answers.json"
    assert take_answers(run_folder, answers, by="ana", at=AT, key=None).verdict == verdict
    check = SpotCheck.model_validate_json((run_folder / SPOT_CHECK).read_text())
    assert (check.pairs, check.refused_adapter, check.refused_base) == (PAIRS, ours, 7)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def test_enter_in_a_box_saves_nothing(run_folder: Path, page: Page) -> None:
    page.goto(make_sheet(run_folder).as_uri())
    submitted = "() => { window.sent = 0; document.forms[0].addEventListener('submit', () => window.sent++) }"
    page.evaluate(submitted)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("() => window.sent") == 0
