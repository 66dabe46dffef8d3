"""Which lines of a pull request git shows: a second opinion on where comments stand. Pure.

Reviews take positions from the patch that GitHub sends, through the parser of `app/domain/diff.py`. This reads another
text, what git prints for the two commits, in another way: by counting, as the headers of its hunks announce.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from app.domain.base import Record

_HEADER = re.compile(r"@@ -\d+(?:,(?P<old>\d+))? \+(?P<start>\d+)(?:,(?P<new>\d+))? @@")
_NEW_PATH = "+++ b/"


class ShownFile(Record):
    """New-side line numbers: `added` by the pull request, and all that are `shown`, on which GitHub takes comments."""

    added: frozenset[int]
    shown: frozenset[int]


def read_shown(diff: str) -> dict[str, ShownFile]:
    """By path, from the output of `git diff` with the context that GitHub shows, paths not quoted."""
    added: dict[str, set[int]] = defaultdict(set)
    shown: dict[str, set[int]] = defaultdict(set)
    for path, line, is_added in _walk(diff):
        shown[path].add(line)
        if is_added:
            added[path].add(line)
    return {path: ShownFile(added=frozenset(added[path]), shown=frozenset(shown[path])) for path in shown}


def _walk(diff: str) -> Iterator[tuple[str, int, bool]]:
    path, line, old, new = "", 0, 0, 0
    for row in diff.split("\n"):
        if old > 0 or new > 0:
            old -= row[:1] in (" ", "-", "")
            if row[:1] in (" ", "+", ""):
                yield path, line, row[:1] == "+"
                line, new = line + 1, new - 1
        elif row.startswith(_NEW_PATH):
            path = row.removeprefix(_NEW_PATH).removesuffix("\t")
        elif header := _HEADER.match(row):
            old, new = int(header["old"] or 1), int(header["new"] or 1)
            line = int(header["start"])
