"""Hunks that reviewers saw and left alone: the negatives that silence is learned from. Pure.

A reviewer saw a hunk when they commented on its file at that commit, or approved that commit. They left it alone when
no comment of this pull request stands in it, at that commit or, by its words, at any other.
"""

from app.domain.base import Record, content_hash
from app.domain.diff import Hunk, Side
from app.domain.paths import decide_unread

#: Clean hunks kept of one pull request; a large one would drown the others.
PER_PULL = 40
#: Hunks longer than this many lines were hardly read line by line.
LONGEST = 400


class Spot(Record):
    """Where someone other than the author commented. `words`: the line above and the line itself, trimmed."""

    sha: str | None
    path: str
    side: Side
    line: int | None
    words: tuple[str, str] | None


class SeenHunk(Record):
    sha: str
    path: str
    hunk: Hunk


def words_at(hunk: Hunk, index: int) -> tuple[str, str]:
    """The line at `index` and the one above it on the same side, trimmed: what recognises it at another commit."""
    line = hunk.lines[index]
    hidden = "added" if line.kind == "removed" else "removed"
    above = next((item.text.strip() for item in reversed(hunk.lines[:index]) if item.kind != hidden), "")
    return above, line.text.strip()


def select_commented(hunk: Hunk, path: str, sha: str, spots: tuple[Spot, ...]) -> frozenset[int]:
    """Positions in `hunk.lines` that any of the spots stands on, by line number at `sha` or by words elsewhere."""
    here = [spot for spot in spots if spot.path == path]
    words = {spot.words for spot in here if spot.words is not None and spot.words[1]}
    exact = {hunk.index_of(spot.line, spot.side) for spot in here if spot.sha == sha and spot.line is not None}
    said = {index for index in range(len(hunk.lines)) if words_at(hunk, index) in words}
    return frozenset(index for index in exact | said if index is not None)


def select_silent(seen: tuple[SeenHunk, ...], spots: tuple[Spot, ...]) -> tuple[SeenHunk, ...]:
    """At most PER_PULL clean hunks, each text once; which ones depends on their words only, never on their order."""
    whole_files = {spot.path for spot in spots if spot.line is None and spot.words is None}
    clean: dict[str, SeenHunk] = {}
    for item in seen:
        added = [line.text for line in item.hunk.lines if line.kind == "added"]
        if item.path in whole_files or decide_unread(item.path) or len(item.hunk.lines) > LONGEST:
            continue
        if any(text.strip() for text in added) and not select_commented(item.hunk, item.path, item.sha, spots):
            clean.setdefault(content_hash("h", [item.path, added]), item)
    return tuple(item for _, item in sorted(clean.items())[:PER_PULL])
