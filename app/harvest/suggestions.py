"""Suggestion blocks: GitHub says nowhere whether one was applied, so its text is looked for in the code. Pure."""

import re
from collections.abc import Sequence

_BLOCK = re.compile(r"^[ \t]*(`{3,}|~{3,})suggestion[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
#: How far from its followed place the suggested text may stand, for lines above may have come in the same commit.
SLACK = 3
#: Characters of a comment that are searched: the search takes the square of it, and strangers write comments.
LONGEST = 8_000


def parse_suggestions(body: str) -> tuple[tuple[str, ...], ...]:
    """The lines of each suggestion block of a comment; an empty block suggests to remove the commented lines."""
    blocks = (match[2] for match in _BLOCK.finditer(body[:LONGEST].replace("\r\n", "\n")))
    return tuple(tuple(block.rstrip("\n").split("\n")) if block.strip() else () for block in blocks)


def is_applied(suggestion: Sequence[str], before: Sequence[str], after: Sequence[str], place: int) -> bool:
    """Whether the suggested lines stand in `after` at 1-based line `place`, and did not stand there before.

    `before` holds the commented lines, `after` the whole file at the head. An empty suggestion cannot be told from
    any other removal, so it counts as not applied; its evidence is that the line changed.
    """
    wanted = [line.rstrip() for line in suggestion]
    if not any(wanted) or wanted == [line.rstrip() for line in before]:
        return False
    first = max(0, place - 1 - SLACK)
    return any(
        [line.rstrip() for line in after[start : start + len(wanted)]] == wanted
        for start in range(first, min(place + SLACK, len(after)))
    )
