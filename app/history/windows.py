"""Which rows of a Python file to parse for a docstring: the statement at the margin that holds it. Pure.

A file is parsed ten times as fast by such a part of it. What a docstring is, the tree decides; where a part might say
something else than the whole file does, `None` asks for the whole file.
"""

from collections.abc import Collection, Sequence

_BEGINNINGS = (b"def ", b"class ", b"async ", b"@")
_FENCES = (b'"""', b"'''")


def may_open_body(lines: Sequence[bytes], row: int) -> bool:
    """Whether the row may begin a function's body: the line above, but for comments, ends in a colon."""
    above = _row_above(lines, row)
    return above is not None and (b"#" in lines[above] or lines[above].rstrip().endswith(b":"))


def select_window(lines: Sequence[bytes], row: int) -> range | None:
    """The rows of the function or class at the margin that holds the row, its decorators with it.

    None when there is none, or when the text before may have left a string open, by its count of triple quotes.
    """
    first = row
    while not _begins_statement(lines, first):
        first -= 1
        if first < 0:
            return None
    before = b"\n".join(lines[:first])
    if any(before.count(fence) % 2 for fence in _FENCES):
        return None
    after = (at for at in range(row + 1, len(lines)) if lines[at][:1].isalpha() or lines[at][:1] in (b"@", b"_"))
    return range(first, next(after, len(lines)))


def select_windows(lines: Sequence[bytes], rows: Collection[int]) -> dict[range, list[int]] | None:
    """Each window with those of the rows that are in it; None when the whole file had better be parsed."""
    windows: dict[range, list[int]] = {}
    for row in rows:
        window = select_window(lines, row)
        if window is None:
            return None
        windows.setdefault(window, []).append(row)
    return windows if 2 * sum(map(len, windows)) < len(lines) else None


def _begins_statement(lines: Sequence[bytes], row: int) -> bool:
    """Decorators belong to what follows them: directly as a rule, and one over several lines ends anyhow."""
    if not lines[row].startswith(_BEGINNINGS) or (row > 0 and lines[row - 1].strip()):
        return False
    above = _row_above(lines, row)
    return above is None or not lines[above].startswith((b"@", b")", b"]", b"}"))


def _row_above(lines: Sequence[bytes], row: int) -> int | None:
    """The nearest row above that holds more than a comment."""
    for at in range(row - 1, -1, -1):
        text = lines[at].strip()
        if text and not text.startswith(b"#"):
            return at
    return None
