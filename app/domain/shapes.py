"""The shape of an added line: its form, its place in the hunk and what is new in it, as whole numbers.

Nothing here depends on the words of one repository, and nothing on how large the file or the pull request is: under an
evaluation that only knows files with comments, a small file would give the answer away.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.diff import DiffLine, Hunk
from app.domain.prompt import LINE_WIDTH

_NAME = re.compile(r"[A-Za-z_]\w*")
#: What a line does, by how it begins; the first that matches. Languages with braces and Python.
_ROLES = tuple(
    re.compile(pattern)
    for pattern in (
        r"//|/\*|\*|#(?!include)|<!--|--\s",
        r"(?:import|from|package|using|#include|require)\b",
        r"[\[\](){};,]+$",
        r"@\w",
        r"(?:\}\s*)?(?:if|else|for|while|switch|case|try|catch|finally|do|elif|except|with)\b",
        r"(?:return|throw|raise|yield|break|continue)\b",
        r"(?:public|private|protected|static|final|abstract|class|interface|def|func|function|export|const|let|var|enum)\b",
        r"[.)]",
    )
)
_BLANK = len(_ROLES) + 1
SHAPE_NAMES = (
    *("length", "indentation", "names", "signs", "digits", "quotes", "capitals", "opened", "unclosed", "brace"),
    *("semicolon", "comma", "opens", "todo", "deeper_below", "deeper_than_above", "blank_above", "blank_below"),
    *("role", "role_above", "role_below", "run_above", "run_below", "run", "run_share", "replaced", "added"),
    *("removed", "hunk", "hunk_at", "hunk_share", "new_file", "number", "known_removed", "known_context", "new_names"),
    *("test", "folders"),
)


@dataclass(frozen=True)
class _Line:
    """What is counted once for each line of a hunk."""

    line: DiffLine
    text: str
    indentation: int
    role: int
    names: frozenset[str]


@dataclass(frozen=True)
class _Around:
    """What all lines of a hunk share."""

    lines: Sequence[_Line]
    added: int
    removed: int
    in_removed: frozenset[str]
    in_context: frozenset[str]
    new_file: bool
    test: bool
    folders: int


def measure_shapes(path: str, hunk: Hunk) -> dict[int, tuple[int, ...]]:
    """SHAPE_NAMES' numbers for each added line of the hunk that is not blank, by new-side number.

    Shares are in percent. `replaced` counts the removed lines right above the run of added lines.
    """
    lines = [_read(line) for line in hunk.lines]
    around = _Around(
        lines=lines,
        added=sum(line.kind == "added" for line in hunk.lines),
        removed=sum(line.kind == "removed" for line in hunk.lines),
        in_removed=frozenset[str]().union(*(item.names for item in lines if item.line.kind == "removed")),
        in_context=frozenset[str]().union(*(item.names for item in lines if item.line.kind == "context")),
        new_file=hunk.header.startswith("@@ -0,0"),
        test="test" in path.lower(),
        folders=path.count("/"),
    )
    return {
        item.line.new: (*_form(item), *_beside(lines, at), *_place(around, at, *run), *_novelty(around, item))
        for run in _runs(lines)
        for at, item in enumerate(lines[run[0] : run[1] + 1], start=run[0])
        if item.text and item.line.new is not None
    }


def _read(line: DiffLine) -> _Line:
    text = line.text.strip()[:LINE_WIDTH]
    wide = line.text[: 4 * LINE_WIDTH].expandtabs(4)
    return _Line(line, text, len(wide) - len(wide.lstrip()), _role(text), frozenset(_NAME.findall(text)))


def _role(text: str) -> int:
    if not text:
        return _BLANK
    return next((number for number, pattern in enumerate(_ROLES) if pattern.match(text)), len(_ROLES))


def _runs(lines: Sequence[_Line]) -> list[tuple[int, int]]:
    """First and last position of each stretch of added lines."""
    found: list[tuple[int, int]] = []
    for at, item in enumerate(lines):
        if item.line.kind == "added":
            if found and found[-1][1] == at - 1:
                found[-1] = (found[-1][0], at)
            else:
                found.append((at, at))
    return found


def _form(item: _Line) -> tuple[int, ...]:
    text = item.text
    letters = text.replace(" ", "")
    signs = sum(not sign.isalnum() for sign in letters)
    return (
        len(text),
        item.indentation,
        len(item.names),
        100 * signs // len(text),
        any(sign.isdigit() for sign in letters),
        '"' in text or "'" in text,
        100 * sum(sign.isupper() for sign in letters) // len(text),
        text.count("("),
        text.count("(") - text.count(")"),
        text.endswith("{"),
        text.endswith(";"),
        text.endswith(","),
        text.endswith(("{", ":", "(")),
        "todo" in text.lower(),
    )


def _beside(lines: Sequence[_Line], at: int) -> tuple[int, ...]:
    item = lines[at]
    above = lines[at - 1] if at else None
    below = lines[at + 1] if at + 1 < len(lines) else None
    return (
        below.indentation - item.indentation if below is not None and below.text else 0,
        item.indentation - above.indentation if above is not None and above.text else 0,
        above is not None and not above.text,
        below is not None and not below.text,
        item.role,
        -1 if above is None else above.role,
        -1 if below is None else below.role,
    )


def _place(around: _Around, at: int, first: int, last: int) -> tuple[int, ...]:
    lines = around.lines
    start = first
    while start and lines[start - 1].line.kind == "removed":
        start -= 1
    return (
        at - first,
        last - at,
        last - first + 1,
        100 * (at - first) // max(1, last - first),
        first - start,
        around.added,
        around.removed,
        len(lines),
        at,
        100 * at // len(lines),
        around.new_file,
        lines[at].line.new or 0,
    )


def _novelty(around: _Around, item: _Line) -> tuple[int, ...]:
    count = max(1, len(item.names))
    return (
        100 * len(item.names & around.in_removed) // count,
        100 * len(item.names & around.in_context) // count,
        len(item.names - around.in_removed - around.in_context),
        around.test,
        around.folders,
    )
