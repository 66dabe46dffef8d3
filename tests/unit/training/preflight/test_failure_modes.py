"""Every known way to fail has a check that is there, a test that is there, and a line in the document."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest

from training.preflight.failure_modes import FAILURE_MODES, FailureMode, render_document

CHECKOUT = Path(__file__).parents[4]


def test_all_24_are_there_once() -> None:
    assert [mode.number for mode in FAILURE_MODES] == list(range(1, 25))


@pytest.mark.parametrize("mode", FAILURE_MODES, ids=lambda mode: str(mode.number))
def test_its_checks_and_tests_exist(mode: FailureMode) -> None:
    assert mode.checks
    assert mode.tests
    for check in mode.checks:
        module, _, name = check.partition(":")
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    for test in mode.tests:
        path, _, name = test.partition("::")
        assert name in _functions(CHECKOUT / path), test


def test_the_document_is_written_from_the_table() -> None:
    assert (CHECKOUT / "docs/failure-modes.md").read_text(encoding="utf-8") == render_document()


@cache
def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
