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
    old, new = before.splitlines(), after.splitlines()
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT)
    found = []
    for group in groups:
        added = [
            line + 1
            for tag, _, _, start, end in group
            if tag != "equal"
            for line in range(start, end)
            if new[line].strip()
        ]
        if added:
            found.append(ShownHunk(path=path, first=group[0][3] + 1, last=group[-1][4], added=tuple(added)))
    return tuple(found)
