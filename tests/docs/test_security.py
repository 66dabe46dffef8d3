"""docs/security.md: each control is shown by tests that are there and collected; and the two it shows by this file."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.github import payloads

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def test_the_rows_are_numbered_and_each_names_a_test() -> None:
    assert [row[0] for row in ROWS] == [f"| {number}" for number in range(1, len(ROWS) + 1)]
    assert [row[1] for row in ROWS if not _tests(row)] == []


def _tests(row: list[str]) -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py)`", row[-1])


@pytest.mark.parametrize("file", sorted({file for row in ROWS for file in _tests(row)}))
def test_what_shows_a_control_is_collected(file: str) -> None:
    """By name, as pytest collects: test_*.py under tests/, with functions called test_*, none of them left out."""
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert Path(file).name.startswith("test_")
    assert re.search(r"^(async )?def test_", text, re.MULTILINE)
    assert not re.search(r"^pytestmark = .*skip", text, re.MULTILINE)


def test_no_payload_is_read_for_an_address() -> None:
    """12: what has no field cannot be fetched."""
    models = [each for each in vars(payloads).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    fields = [name for model in models for name in model.model_fields]
    assert len(fields) > 20
    assert [name for name in fields if "url" in name or "href" in name] == []


def test_every_package_is_pinned_by_version_and_hash() -> None:
    """27: and the install asks for the hashes."""
    pinned = (CHECKOUT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    packages = [line for line in pinned if line and not line.startswith((" ", "#"))]
    assert len(packages) > 100
    assert [line for line in packages if not re.fullmatch(r"[\w.-]+==[^\s;]+( ; .*)? \\", line)] == []
    assert "--require-hashes" in (CHECKOUT / "Makefile").read_text(encoding="utf-8")
