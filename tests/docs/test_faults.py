"""docs/faults.md has a row for each of the eighteen faults, and what it names is there."""

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) \| (.*) \|$", TEXT, re.MULTILINE)}


def test_every_fault_has_a_row_with_a_figure() -> None:
    assert sorted(ROWS) == list(range(1, 19))
    assert all(row.split(" | ")[2].strip() for row in ROWS.values())


@pytest.mark.parametrize("number", range(1, 19))
def test_what_holds_it_is_there(number: int) -> None:
    held = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", ROWS[number])
    assert held
    for file, name in held:
        tree = ast.parse((CHECKOUT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions if name else functions, f"{file}::{name}"


def test_a_program_that_is_told_to_be_run_can_be() -> None:
    for module in re.findall(r"python -m (tests\.[\w.]+)", TEXT):
        assert "__main__" in (CHECKOUT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
