"""The `diff_hunk` of a review comment: a hunk that GitHub cut off below the commented line.

Its header still counts the lines that were cut, so a strict diff parser refuses it; here the header is counted anew.
"""

import re

from app.domain.diff import Hunk, Side
from app.domain.errors import UserError

_HEADER = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$")


def parse_diff_hunk(text: str) -> Hunk:
    """The hunk as far as it is shown; its last line is the commented one.

    Raises:
        UserError: when the text does not start with `@@ -a,b +c,d @@` or a line has no diff mark.
    """
    first, *rest = text.rstrip("\r\n").split("\n")
    header = _HEADER.match(first.rstrip("\r"))
    if header is None:
        raise UserError(f"expected a hunk that starts with '@@ -a,b +c,d @@', got {first[:60]!r}")
    lines = _number(rest, old=int(header[1]), new=int(header[2]))
    if not lines:
        raise UserError(f"expected at least one line below {first[:60]!r}, got none")
    old_length = sum(line["old"] is not None for line in lines)
    new_length = sum(line["new"] is not None for line in lines)
    section = f" {header[3]}" if header[3] else ""
    title = f"@@ -{header[1]},{old_length} +{header[2]},{new_length} @@{section}"
    return Hunk.model_validate({"header": title, "lines": lines})  # one call: imports have 200,000 lines


def _number(rows: list[str], *, old: int, new: int) -> list[dict[str, str | int | None]]:
    lines: list[dict[str, str | int | None]] = []
    for row in rows:
        mark, text = row[:1], row[1:].rstrip("\r")
        if mark == "+":
            lines.append({"kind": "added", "old": None, "new": new, "text": text})
            new += 1
        elif mark == "-":
            lines.append({"kind": "removed", "old": old, "new": None, "text": text})
            old += 1
        elif mark in ("", " "):
            lines.append({"kind": "context", "old": old, "new": new, "text": text})
            old, new = old + 1, new + 1
        elif mark != "\\":  # "\ No newline at end of file" is about the line above it
            raise UserError(f"expected a diff line that starts with '+', '-' or a space, got {row[:60]!r}")
    return lines


def last_position(hunk: Hunk) -> tuple[int, Side]:
    """Where the comment under a `diff_hunk` stands: its last line, on the side that line is on."""
    line = hunk.lines[-1]
    if line.kind == "removed":
        return line.old or 0, "LEFT"
    return line.new or 0, "RIGHT"
