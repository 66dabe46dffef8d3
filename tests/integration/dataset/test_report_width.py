"""The dataset report fits the window that it is read in, whatever people wrote: drawn by a real browser."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.dataset.report_page import render_page
from tests.unit.dataset.test_report import full_report

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_MEASURE = """<script>addEventListener("load", () => {
  const page = document.documentElement;
  document.title = `${page.scrollWidth} of ${page.clientWidth}`;
})</script></body>"""


def _measure(page: str, folder: Path, width: int) -> tuple[int, int]:
    """Pixels that the page would take, and those it has, in a window of that width."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.fail("expected chromium to draw the report with; run infra/test-machine.sh, or apt-get install chromium")
    measured, replaced = _POLICY.subn("", page)  # a report's own policy lets no script run
    assert replaced == 1
    file = folder / "report.html"
    file.write_text(measured.replace("</body>", _MEASURE), encoding="utf-8")
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
    places = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", file.as_uri()]
    done = subprocess.run([browser, *switches, *places], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
    if found is None:
        pytest.fail(f"chromium drew no report (status {done.returncode}): {done.stderr[-2000:]}")
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("width", [1200, 600])
def test_no_window_is_scrolled_sideways(tmp_path: Path, width: int) -> None:
    taken, had = _measure(render_page(full_report("unbroken" * 50)), tmp_path, width)
    assert 0.9 * width < had <= width
    assert taken == had
