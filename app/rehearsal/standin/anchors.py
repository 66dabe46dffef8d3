"""Where a review comment may stand, decided from the diff alone."""

from collections.abc import Sequence

from app.domain.base import Record
from app.domain.diff import Side
from app.rehearsal.standin.git import FileChange


class Anchor(Record):
    """A place in a diff. `position` counts a file's diff lines from 1 under its first hunk header, headers included."""

    diff_hunk: str
    position: int


def find_anchor(changes: Sequence[FileChange], path: str, line: int, side: Side) -> Anchor | None:
    """The anchor of one line, None when the diff does not show it. Its hunk ends at that line, as GitHub's do."""
    change = next((change for change in changes if change.path == path), None)
    position = 0
    for hunk in change.diff.hunks if change else ():
        index = hunk.index_of(line, side)
        if index is not None:
            lines = [f"{shown.mark}{shown.text}" for shown in hunk.lines[: index + 1]]
            return Anchor(diff_hunk="\n".join([hunk.header, *lines]), position=position + index + 1)
        position += len(hunk.lines) + 1
    return None


def shows_path(changes: Sequence[FileChange], path: str) -> bool:
    return any(change.path == path for change in changes)
