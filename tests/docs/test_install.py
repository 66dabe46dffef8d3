"""docs/install.md says what the setup does: its commands, the permissions, the thresholds of the doctor."""

import re
from pathlib import Path

from pydantic import SecretStr

from app.curation.label_commands import render_label_commands
from app.doctor import app_checks, machine_checks
from app.domain.app_permissions import CANNOT, render_permission_table
from app.github.registering import AppCredentials
from app.setup.choice import parse_choice
from app.setup.remaining import render_steps
from app.setup.storing import Stored
from tests.integration.setup.programs import choose

TEXT = (Path(__file__).parents[2] / "docs" / "install.md").read_text(encoding="utf-8")


def test_the_permissions_are_those_of_the_one_table() -> None:
    assert render_permission_table() in TEXT
    assert "\n".join(f"- {one}" for one in CANNOT) in TEXT


def test_what_is_left_to_do_is_what_the_page_shows() -> None:
    choice = parse_choice(choose({"where": "github", "public_url": "https://bot.example.org"}))
    secret = SecretStr("x")
    made = AppCredentials(
        id=1, slug="b", name="b", html_url="https://github.com/apps/b", pem=secret, webhook_secret=secret,
        client_id="x", client_secret=secret,
    )  # fmt: skip
    stored = Stored(env_file=Path("data/understudy.env"), key_file=Path("key.pem"), kept=None)
    shown = [command for step in render_steps(choice, made, stored) for command in step.commands]
    typed = re.findall(r"^    (\.venv/bin/python .+)$", TEXT, re.MULTILINE)
    assert [*typed[1:5]] == [command for command in shown if command.startswith(".venv/")]
    assert tuple(shown[4:]) == render_label_commands(), "which docs/curation.md shows"
    assert typed[0] == ".venv/bin/python -m app setup"


def test_the_thresholds_are_those_of_the_code() -> None:
    warning, problem = app_checks.SKEW_WARNING, app_checks.SKEW_PROBLEM
    assert f"more than {warning:.0f} s from GitHub's (a problem from {problem:.0f} s" in TEXT
    little, least = machine_checks.LITTLE_FREE // 2**30, machine_checks.LEAST_FREE // 2**30
    assert f"less than {little} GiB free (a problem below {least})" in TEXT
