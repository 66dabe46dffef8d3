"""No log line carries what an exception or a library says, and every event is one line."""

import ast
import json
import logging
from pathlib import Path

import pytest

from app.domain.errors import Refused, RetryLater
from app.domain.log_lines import LineFormatter, LogFormat, about, describe_error

_CANARY = "canary-of-a-stranger"
_CHECKOUT = Path(__file__).parents[3]


def _record(name: str, message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord(name, logging.WARNING, "/x/app/file.py", 7, message, arguments, exc_info)


def _raised() -> BaseException:
    try:
        try:
            raise ValueError(_CANARY)
        except ValueError as cause:
            raise Refused("invalid", _CANARY) from cause
    except Refused as error:
        error.add_note(_CANARY)
        return error


@pytest.mark.parametrize("kind", LogFormat)
def test_neither_exceptions_nor_libraries_speak(kind: LogFormat) -> None:
    records = [
        _record("app.x", "it failed: %s", _raised(), error=_raised()),
        _record("dbos", f"Exception: {_CANARY}", error=_raised()),
        _record("asyncio", "future: %s", _CANARY),
        _record("app.x", "a group failed", error=ExceptionGroup(_CANARY, [ValueError(_CANARY)])),
    ]
    lines = [LineFormatter(kind).format(record) for record in records]
    assert not any(_CANARY in line or "\n" in line for line in lines)
    assert "Refused(invalid) from ValueError" in lines[0]
    assert "test_log_lines.py" in lines[0]
    assert "a library spoke (file:7)" in lines[1]


def test_a_line_says_what_it_is_about() -> None:
    with about(workflow="review:h:5:7", installation=11, delivery=None), about(trace="ab"):
        said = json.loads(LineFormatter(LogFormat.JSON).format(_record("app.x", "%d of %s", 3, "them")))
        text = LineFormatter(LogFormat.TEXT).format(_record("app.x", "%d of %s", 3, "them"))
    assert said["message"] == "3 of them"
    assert (said["workflow"], said["installation"], said["trace"]) == ("review:h:5:7", 11, "ab")
    assert "delivery" not in said
    assert text.endswith("app.x 3 of them workflow=review:h:5:7 installation=11 trace=ab")
    after = LineFormatter(LogFormat.TEXT).format(_record("app.x", "later"))
    assert after.endswith("later")


def test_nothing_passes_for_a_second_line() -> None:
    for kind in LogFormat:
        assert "\n" not in LineFormatter(kind).format(_record("serving", "name %s", "a\n2026 ERROR forged\x1b[2J"))


def test_a_wait_is_told_with_its_seconds() -> None:
    assert describe_error(RetryLater("later", 10.0)) == "RetryLater(10 s)"


def test_what_our_code_logs_is_constant_words() -> None:
    """An f-string, or a text put together before the call, would pass the formatter as our own words."""
    wrong = []
    for folder in ("app", "serving", "training"):
        for path in (_CHECKOUT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if not is_call or not isinstance(node.func.value, ast.Name) or node.func.value.id != "_log":  # type: ignore[attr-defined]
                    continue
                first = node.args[0]  # type: ignore[attr-defined]
                if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                    wrong.append(f"{path}:{node.lineno}")  # type: ignore[attr-defined]
    assert wrong == []
