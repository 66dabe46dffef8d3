"""The fix: the first later commit that touched the commented lines, and its hunks there."""

import re
from collections.abc import Iterator

from app.domain.base import Record
from app.domain.examples import Fix
from app.harvest.history import History, PathCommit
from app.harvest.positions import follow, nearest

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)


class Place(Record):
    """Commented lines first..last on the new side of a file, and the commit the comment was made on."""

    sha: str
    path: str
    first: int
    last: int


def find_fix(history: History, place: Place, head_sha: str, tolerance: int) -> Fix | None:
    """The commit that changed the place by the head, within `tolerance` lines. None when no single one did.

    On a straight path it is the first that touches the place. After a force-push the commits behind the head were
    rewritten and begin without the commented lines; there it is the first of those that touch it to the end.
    """
    commit = _first_touch(history, place, head_sha, tolerance)
    if commit is None:
        return None
    hunks = tuple(_commit_hunks(history, place, commit)) or tuple(_tree_hunks(history, place, commit, tolerance))
    return Fix(commit=commit.sha, hunks=hunks) if hunks else None


def _first_touch(history: History, place: Place, head_sha: str, tolerance: int) -> PathCommit | None:
    if history.is_ancestor(place.sha, head_sha):
        path = history.commits(place.sha, head_sha)
        return next((commit for commit in path if _touches(history, place, commit, tolerance)), None)
    found = None
    for commit in history.commits(place.sha, head_sha, newest_first=True):
        if not _leaves_alone(history, place, commit):
            if not _touches(history, place, commit, tolerance):
                break
            found = commit
    return found


def _leaves_alone(history: History, place: Place, commit: PathCommit) -> bool:
    """A commit that changes other files only says nothing about the place."""
    return commit.names is not None and history.follow_name(place.path, place.sha, commit.sha) not in commit.names


def _touches(history: History, place: Place, commit: PathCommit, tolerance: int) -> bool:
    if _leaves_alone(history, place, commit):
        return False
    fate = history.fate(place.path, place.sha, commit.sha)
    distance = None if fate is None else nearest(fate.changes, place.first, place.last)
    return distance is not None and distance <= tolerance


def _commit_hunks(history: History, place: Place, commit: PathCommit) -> Iterator[str]:
    """The commit's own hunks that show the place, as it stood in its parent."""
    name = history.follow_name(place.path, place.sha, commit.sha)
    patch = history.own_patch(commit, name) if name is not None else ""
    before = None if commit.parent is None else history.fate(place.path, place.sha, commit.parent)
    if patch and before is not None:
        first, last = (follow(before.changes, line) for line in (place.first, place.last))
        yield from select_hunks(patch, first, last, 0)


def _tree_hunks(history: History, place: Place, commit: PathCommit, tolerance: int) -> Iterator[str]:
    """The difference between the comment's commit and this one, where the commit's own patch cannot show it."""
    name = history.follow_name(place.path, place.sha, commit.sha)
    if name is not None:
        yield from select_hunks(
            history.patch(place.sha, place.path, commit.sha, name), place.first, place.last, tolerance
        )


def select_hunks(patch: str, first: int, last: int, tolerance: int) -> tuple[str, ...]:
    """Hunks of a patch whose old side, context included, comes within `tolerance` of first..last."""
    starts = list(_HUNK.finditer(patch))
    ends = [match.start() for match in starts[1:]] + [len(patch)]
    return tuple(
        patch[match.start() : end]
        for match, end in zip(starts, ends, strict=True)
        if int(match[1]) - tolerance <= last and first <= int(match[1]) + int(match[2] or 1) - 1 + tolerance
    )
