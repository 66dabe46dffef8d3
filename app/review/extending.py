"""A hunk with the function around it: what git's three lines of context leave out. Pure.

For the base model only (ADR 0024). Lines that are added here are context: they have no number, so that no comment can
name them. Where the file's text and the hunk do not agree line by line, or no syntax tree could be read, the hunk stays
as GitHub shows it.
"""

from collections.abc import Mapping, Sequence

from app.domain.base import Record
from app.domain.diff import Hunk
from app.domain.scopes import Scope

#: Lines shown above a hunk at most, back to where its function begins; of a longer one only the signature.
LINES_OVER = 20
LINES_UNDER = 8
#: Lines of one signature.
_SIGNATURE = 5
#: Classes and functions around the innermost, one line each.
_OUTER = 2
GAP = "⋮"


class Extended(Record):
    """`above` and `below`: lines of the head around the hunk, GAP where some are left out. `is_cut`: the hunk, or
    an added line of it, is longer than what is shown."""

    hunk: Hunk
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    is_cut: bool = False


def select_rows(hunks: Sequence[Hunk]) -> list[int]:
    """The rows, from 0, of the first and last added lines: where it is asked what stands around."""
    return sorted({row for hunk in hunks for row in _ends(hunk)})


def extend_hunks(
    hunks: Sequence[Hunk], source: str, scopes: Mapping[int, tuple[Scope, ...]]
) -> tuple[Extended, ...] | None:
    """The hunks of one file, in order; none shows a line of another. None when the text is not the hunks' own."""
    lines = [line.rstrip("\r") for line in source.split("\n")]
    if not all(_agrees(hunk, lines) for hunk in hunks):
        return None
    ceilings = [*(_span(hunk)[0] for hunk in hunks[1:]), len(lines)]
    extended, floor = list[Extended](), 0
    for hunk, ceiling in zip(hunks, ceilings, strict=True):
        extended.append(_extend(hunk, lines, scopes, floor, ceiling))
        floor = max(floor, _span(hunk)[1] + 1 + len(extended[-1].below))
    return tuple(extended)


def _extend(
    hunk: Hunk, lines: Sequence[str], scopes: Mapping[int, tuple[Scope, ...]], floor: int, ceiling: int
) -> Extended:
    ends = _ends(hunk)
    if not ends:
        return Extended(hunk=hunk)
    top, bottom = _span(hunk)
    above = _above(scopes.get(ends[0], ()), lines, top, floor)
    inner = _innermost(scopes.get(ends[-1], ()))
    last = bottom if inner is None or not inner.is_function else min(inner.last, bottom + LINES_UNDER, ceiling - 1)
    return Extended(hunk=hunk, above=above, below=tuple(lines[bottom + 1 : last + 1]))


def _above(scopes: Sequence[Scope], lines: Sequence[str], top: int, floor: int) -> tuple[str, ...]:
    inner = _innermost(scopes)
    if inner is None:
        return ()
    outer = [lines[scope.first] for scope in scopes[-1 - _OUTER : -1] if floor <= scope.first < min(top, inner.first)]
    first = max(inner.first, floor)
    if first >= top:
        return (*outer, *([GAP] if outer else []))
    if top - first <= LINES_OVER and inner.is_function:
        near = list(lines[first:top])
    else:
        signature = lines[first : min(inner.head + 1, first + _SIGNATURE, top)] if first == inner.first else []
        near = [*signature, GAP] if signature else []
    return (*outer, *([GAP] if outer else []), *near)


def _innermost(scopes: Sequence[Scope]) -> Scope | None:
    return scopes[-1] if scopes else None


def _agrees(hunk: Hunk, lines: Sequence[str]) -> bool:
    return all(
        line.new is None or (line.new <= len(lines) and lines[line.new - 1] == line.text.rstrip("\r"))
        for line in hunk.lines
    )


def _span(hunk: Hunk) -> tuple[int, int]:
    """First and last row of the hunk on the new side; an empty one lies before its first row."""
    rows = [line.new - 1 for line in hunk.lines if line.new is not None]
    return (rows[0], rows[-1]) if rows else (0, -1)


def _ends(hunk: Hunk) -> tuple[int, ...]:
    rows = [line.new - 1 for line in hunk.lines if line.kind == "added" and line.new is not None]
    return (rows[0], rows[-1]) if rows else ()
