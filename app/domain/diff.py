"""Diffs: what GitHub shows in a pull request, and which of its lines a comment may stand on.

Parsing is unidiff's; this module only gives its result our shape (ADR 0003).
"""

import io
from collections.abc import Iterator
from typing import Literal

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ParsedHunk
from unidiff.patch import PatchSet

from app.domain.base import Record
from app.domain.errors import UserError

LineKind = Literal["context", "added", "removed"]
Side = Literal["LEFT", "RIGHT"]

_KINDS: dict[str, LineKind] = {" ": "context", "+": "added", "-": "removed"}
_MARKS: dict[LineKind, str] = {"context": " ", "added": "+", "removed": "-"}


class DiffLine(Record):
    """One line of a hunk. `old` and `new` are 1-based line numbers in the two files, None where it is absent."""

    kind: LineKind
    old: int | None
    new: int | None
    text: str

    @property
    def mark(self) -> str:
        return _MARKS[self.kind]


class Hunk(Record):
    """A run of changed lines with its context, as git prints it."""

    header: str
    lines: tuple[DiffLine, ...]

    def index_of(self, line: int, side: Side) -> int | None:
        """Position in `lines` of a line number on one side, None when this hunk does not show it."""
        for index, candidate in enumerate(self.lines):
            if (candidate.new if side == "RIGHT" else candidate.old) == line and _stands_on(candidate, side):
                return index
        return None


class FileDiff(Record):
    path: str
    hunks: tuple[Hunk, ...]

    def hunk_with(self, line: int, side: Side) -> Hunk | None:
        return next((hunk for hunk in self.hunks if hunk.index_of(line, side) is not None), None)

    def added(self) -> Iterator[tuple[Hunk, DiffLine]]:
        return ((hunk, line) for hunk in self.hunks for line in hunk.lines if line.kind == "added")


def _stands_on(line: DiffLine, side: Side) -> bool:
    """GitHub takes added and context lines on the right side, removed and context lines on the left."""
    return line.kind != ("removed" if side == "RIGHT" else "added")


def parse_patch(path: str, patch: str) -> FileDiff:
    """The `patch` of one file as GitHub's `pulls/N/files` and `git diff` give it, hunks only.

    Raises:
        UserError: when the text is not a unified diff.
    """
    document = f"--- a/f\n+++ b/f\n{patch.rstrip(chr(10))}\n" if patch.strip() else ""
    try:
        files = PatchSet(io.StringIO(document, newline="\n"))
    except UnidiffParseError as error:
        raise UserError(f"{path}: expected the hunks of a unified diff, got text that is none ({error})") from error
    hunks = tuple(_hunk(hunk) for file in files for hunk in file)
    return FileDiff(path=path, hunks=hunks)


def _hunk(hunk: ParsedHunk) -> Hunk:
    section = f" {hunk.section_header}" if hunk.section_header else ""
    header = f"@@ -{hunk.source_start},{hunk.source_length} +{hunk.target_start},{hunk.target_length} @@{section}"
    lines = tuple(
        DiffLine(
            kind=_KINDS[line.line_type],
            old=line.source_line_no,
            new=line.target_line_no,
            text=line.value.rstrip("\r\n"),
        )
        for line in hunk
        if line.line_type in _KINDS
    )
    return Hunk(header=header, lines=lines)
