"""Over-long hunks, cut around the commented lines at the borders of the block that holds them. Pure.

The rule reads indentation and blank lines only, so it is the same in every language. What the prompt shows of a
commented line is never cut away: a rendered prompt is the same before and after.
"""

from app.domain.diff import DiffLine, Hunk
from app.domain.prompt import LINES_ABOVE, LINES_BELOW

#: Lines of a hunk that are kept whole; longer ones were hardly read line by line.
LONGEST = 400
_CLOSING = ("}", ")", "]", "end", "</", "fi", "done", "esac")


def cut_hunk(hunk: Hunk, first: int, last: int, longest: int = LONGEST) -> Hunk:
    """At most `longest` lines around the positions `first`..`last` of `hunk.lines`, a short hunk as it is.

    A comment on more lines than that keeps them all: a commented line is never left out.
    """
    if len(hunk.lines) <= longest:
        return hunk
    spare = max(0, longest - (last - first + 1) - LINES_ABOVE - LINES_BELOW) // 2
    highest, lowest = max(0, first - LINES_ABOVE), min(len(hunk.lines), last + LINES_BELOW + 1)
    top = _top(hunk.lines, max(0, highest - spare), highest)
    bottom = _bottom(hunk.lines, top, lowest, min(len(hunk.lines), lowest + spare))
    return _part(hunk, top, bottom)


def _top(lines: tuple[DiffLine, ...], least: int, most: int) -> int:
    """Where the block begins that holds the line at `most`: the nearest line that stands as far left as any above."""
    opening = [at for at in range(least, most + 1) if _opens(lines[at])]
    if not opening:
        return most
    depth = min(_depth(lines[at]) for at in opening)
    top = max(at for at in opening if _depth(lines[at]) == depth)
    while top > least and _opens(lines[top - 1]) and _depth(lines[top - 1]) == depth:
        top -= 1  # decorators, annotations and comments right above belong to what they stand on
    return top


def _bottom(lines: tuple[DiffLine, ...], top: int, least: int, most: int) -> int:
    """One past the last line of the block that begins at `top`, at least `least`, at most `most`."""
    depth = _depth(lines[top])
    for at in range(least, most):
        if lines[at].text.strip() and _depth(lines[at]) <= depth:
            return at if _opens(lines[at]) else at + 1
    blank = [at for at in range(least, most) if not lines[at].text.strip()]
    return blank[-1] if most < len(lines) and blank else most


def _opens(line: DiffLine) -> bool:
    text = line.text.strip()
    return bool(text) and not text.startswith(_CLOSING)


def _depth(line: DiffLine) -> int:
    text = line.text.expandtabs(4)
    return len(text) - len(text.lstrip())


def _part(hunk: Hunk, top: int, bottom: int) -> Hunk:
    lines = hunk.lines[top:bottom]
    old = [line.old for line in lines if line.old is not None]
    new = [line.new for line in lines if line.new is not None]
    section = hunk.header.split("@@", 2)[-1]
    header = f"@@ -{old[0] if old else 0},{len(old)} +{new[0] if new else 0},{len(new)} @@{section}"
    return Hunk(header=header, lines=lines)
