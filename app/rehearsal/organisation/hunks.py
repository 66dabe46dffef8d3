"""The hunks that GitHub shows for a file of the story, from its texts alone. Pure; a test holds it against git."""

from difflib import SequenceMatcher
from functools import lru_cache

from app.domain.base import Record
from app.rehearsal.organisation.records import PullRequest

#: Unchanged lines that git shows on either side of a change.
CONTEXT = 3


class ShownHunk(Record):
    """New-side lines first..last of a hunk, context included, and which of them are added."""

    path: str
    first: int
    last: int
    added: tuple[int, ...]


def shown_hunks(pull: PullRequest, commit: int = -1) -> tuple[ShownHunk, ...]:
    """Every hunk with an added line that is not blank, at one commit (the head by default)."""
    index = commit % len(pull.commits)
    return tuple(
        hunk
        for path in pull.paths_at(index)
        for hunk in _file_hunks(path, pull.before.get(path, ""), pull.text_at(index, path))
    )


@lru_cache(maxsize=1024)
def _file_hunks(path: str, before: str, after: str) -> tuple[ShownHunk, ...]:
    new = after.splitlines()
    found: list[ShownHunk] = []
    for start, end in _changes(before.splitlines(), new):
        first, last = max(1, start + 1 - CONTEXT), min(len(new), end + CONTEXT)
        added = tuple(line + 1 for line in range(start, end) if new[line].strip())
        if found and start - CONTEXT <= found[-1].last:
            previous = found.pop()
            first, added = previous.first, previous.added + added
        found.append(ShownHunk(path=path, first=first, last=last, added=added))
    return tuple(hunk for hunk in found if hunk.added)


def _changes(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Changed ranges of the new text, 0-based, end exclusive. Of equal blank lines git takes those after a block."""
    changes = []
    for tag, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            slide = 0
            while tag == "insert" and end + slide < len(new) and not new[start + slide] and not new[end + slide]:
                slide += 1
            changes.append((start + slide, end + slide))
    return changes
