"""Lines through a diff: which were changed, how far the nearest change is, and where a line went. Pure."""

import re

from app.domain.base import Record

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Change(Record):
    """One hunk of a diff without context, as git counts: a side of no lines starts at the line before the gap."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int

    def distance(self, first: int, last: int) -> int:
        """Lines of the old file from the range first..last to this change: 0 when it changes one of them.

        Lines put between two others change neither; both are at distance 1.
        """
        start = self.old_start if self.old_count else self.old_start + 1
        end = self.old_start + self.old_count - 1 if self.old_count else self.old_start
        gap = max(start - last, first - end, 0)
        return gap if self.old_count else max(gap, 1)


def parse_changes(diff: str) -> tuple[Change, ...]:
    """The hunks of a `git diff -U0` of one file, in order."""
    found = (_HUNK.match(line) for line in diff.split("\n"))
    return tuple(
        Change(
            old_start=int(match[1]),
            old_count=int(match[2] if match[2] is not None else 1),
            new_start=int(match[3]),
            new_count=int(match[4] if match[4] is not None else 1),
        )
        for match in found
        if match
    )


def nearest(changes: tuple[Change, ...], first: int, last: int) -> int | None:
    """Distance from the range to the nearest change, None when nothing was changed."""
    return min((change.distance(first, last) for change in changes), default=None)


def follow(changes: tuple[Change, ...], line: int) -> int:
    """Where a line of the old file stands in the new one; a changed line goes to the start of what replaced it."""
    shift = 0
    for change in changes:
        end = change.old_start + change.old_count - 1 if change.old_count else change.old_start
        if end < line:
            shift += change.new_count - change.old_count
        elif change.distance(line, line) == 0:
            return max(change.new_start, 1)
    return line + shift
