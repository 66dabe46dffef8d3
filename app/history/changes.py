"""Commits with what they changed, read from one stream of git's, in bounded memory.

`git diff-tree --stdin` is told the commits and prints each with its words, its files and their hunks. Nothing is kept
of a file but what the decisions need: hunks only while the commit is small enough to learn from, and the rows on
which docstrings open. Files over a mebibyte are to git what binary files are: named, not shown.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from app.domain.errors import UserError
from app.domain.paths import decide_unread
from app.github.git import GitFailed, open_git
from app.history.languages import select_language

#: Changed lines of one commit above which nothing of its diff is kept (finetuning-rules: too large to learn from).
MOST_LINES = 300
#: A longer line is data or minified code.
LONGEST_LINE = 1_000
_READ_BYTES = 1 << 18
_SETTINGS = {
    # For what git holds of packs, so that two readers and their gits stay well below 700 MB together.
    "core.bigFileThreshold": "1m",
    "core.deltaBaseCacheLimit": "48m",
    "core.packedGitWindowSize": "16m",
    "core.packedGitLimit": "128m",
    # Nothing in the repository's own configuration may change what a diff looks like.
    "core.quotePath": "false",
    "diff.algorithm": "myers",
    "diff.context": "3",
    "diff.interHunkContext": "0",
    "diff.orderFile": "",
    "diff.renameLimit": "400",
    "i18n.logOutputEncoding": "UTF-8",
}
_DIFF = ("-r", "-p", "--raw", "--root", "--find-renames", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv",
         "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=none")  # fmt: skip
_SHOWN = frozenset({"100644", "100755", "000000"})
_PATCH = b"\ndiff --git "
_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class FileChange(NamedTuple):
    """`unread` is why the file is not looked at; `hunks` is None when it has none or is too large to show.

    `opened` are the rows of the new file, from 0, on which this change wrote the first line of a docstring, perhaps.
    """

    old_path: str | None
    path: str
    blob: str
    unread: str | None
    changed_lines: int
    hunks: str | None
    opened: tuple[int, ...]


class CommitChange(NamedTuple):
    """One commit that is no merge. `files` are in git's order; `written_at` is None when git has no such time."""

    sha: str
    author: str
    address: str
    written_at: datetime | None
    message: str
    files: tuple[FileChange, ...]

    @property
    def read_files(self) -> tuple[FileChange, ...]:
        return tuple(file for file in self.files if file.unread is None)

    @property
    def changed_lines(self) -> int:
        return sum(file.changed_lines for file in self.read_files)


def fetch_head(git_dir: Path, revision: str = "HEAD") -> str:
    """The newest commit of the default branch, or of what `revision` names.

    Raises:
        UserError: when the folder is no git directory, or has no such commits.
    """
    return _list(git_dir, "--max-count=1", revision)[0]


def fetch_shas(
    git_dir: Path, *, since: str | None = None, until: str = "HEAD", merges: bool = False
) -> tuple[str, ...]:
    """Commits that `until` has and `since` has not, oldest first: those that are merges, or those that are not.

    Raises:
        UserError: when the folder is no git directory, or lacks one of the two.
    """
    limits = [until] if since is None else [until, f"^{since}"]
    return _list(git_dir, "--reverse", "--merges" if merges else "--no-merges", "--end-of-options", *limits)


def _list(git_dir: Path, *arguments: str) -> tuple[str, ...]:
    try:
        with open_git(git_dir, "rev-list", *arguments, "--", given=b"") as process:
            assert process.stdout is not None  # noqa: S101 (asked for)
            return tuple(process.stdout.read().decode().split())
    except GitFailed as error:
        raise UserError(
            "expected the git directory of a repository (a bare mirror, or the .git folder of a checkout) that has "
            f"{' and '.join(arguments[-2:])}, got {git_dir} ({error}); correct the path, or fetch what is missing"
        ) from error


def read_changes(git_dir: Path, shas: Sequence[str], *, documented: bool = True) -> Iterator[CommitChange]:
    """The commits in the order given; none of them may be a merge. Rows of docstrings are looked for if `documented`.

    Instead of a commit, `HEAD_SHA BASE_SHA` asks for what the first changed since the second.

    Raises:
        GitFailed: when git cannot read one of them, after those before it.
    """
    mark = secrets.token_hex(16).encode()  # what nobody can have written into a message or a file
    shown = f"--format={mark.decode()}%H%x00%an%x00%ae%x00%at%x00%B%x00{mark.decode()}"
    given = "".join(f"{sha}\n" for sha in shas).encode()
    with open_git(
        git_dir, "diff-tree", "--stdin", "--always", *_DIFF, shown, given=given, settings=_SETTINGS
    ) as process:
        assert process.stdout is not None  # noqa: S101 (asked for)
        held: CommitChange | None = None  # a commit is whole when another follows it, or when git ended well
        expected = iter(shas)
        for change in _parse_commits(_Scanner(process.stdout), mark, documented):
            _require_commit(next(expected, ""), change.sha)
            if held is not None:
                yield held
            held = change
    _require_commit(next(expected, ""), "")
    if held is not None:
        yield held


def _require_commit(asked: str, got: str) -> None:
    """What git does not take for a commit it repeats into its output, behind the hunks of the one before it."""
    if asked.partition(" ")[0] != got:
        raise GitFailed(f"git diff-tree was asked for {asked or 'no more'} and gave {got or 'no more'}")


class _Scanner:
    """A stream of bytes, read up to one of a few patterns at a time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0

    def take_until(self, *separators: bytes) -> bytes:
        """What comes before the nearest separator, and leaves it standing; everything when there is none."""
        start, longest = self._at, max(map(len, separators))
        while (found := self._nearest(separators, start)) < 0:
            start = max(self._at, len(self._buffer) - longest) - self._at
            more = self._stream.read(_READ_BYTES)
            self._buffer, self._at = self._buffer[self._at :] + more, 0
            if not more:
                taken, self._buffer = self._buffer, b""
                return taken
        taken, self._at = self._buffer[self._at : found], found
        return taken

    def _nearest(self, separators: Sequence[bytes], start: int) -> int:
        nearest = -1
        for separator in separators:
            found = self._buffer.find(separator, start, nearest if nearest >= 0 else len(self._buffer))
            nearest = found if found >= 0 else nearest
        return nearest

    def skip(self, length: int) -> bool:
        """Past what `take_until` found; False at the end."""
        self._at += length
        return self._at <= len(self._buffer) and bool(self._buffer)


def _parse_commits(scanner: _Scanner, mark: bytes, documented: bool) -> Iterator[CommitChange]:
    begin, end = b"\n" + mark, b"\0" + mark
    scanner.take_until(mark)
    ahead = len(mark)  # the first one stands at the very start, the others on a line of their own
    while scanner.skip(ahead):
        fields = scanner.take_until(end).decode(errors="replace").split("\0", 4)
        scanner.skip(len(end))
        raw = scanner.take_until(_PATCH, begin)
        yield _commit(fields, _parse_files(scanner, raw, begin, documented=documented))
        ahead = len(begin)


def _commit(fields: Sequence[str], files: tuple[FileChange, ...]) -> CommitChange:
    sha, author, address, seconds, message = fields
    try:
        written_at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        written_at = None
    return CommitChange(sha, author, address, written_at, message, files)


def _parse_files(scanner: _Scanner, raw: bytes, *ends: bytes, documented: bool) -> tuple[FileChange, ...]:
    """Entries and patches stand in the same order; a change of type is one entry and two patches."""
    files: list[FileChange] = []
    total = 0
    for line in raw.decode(errors="surrogateescape").split("\n"):
        if not line.startswith(":"):
            continue
        patch = _take_patch(scanner, *ends)
        if _entry_status(line) == "T":
            _take_patch(scanner, *ends)
        file = _file(line, patch, keep=total <= MOST_LINES, documented=documented)
        total += file.changed_lines if file.unread is None else 0
        files.append(file)
    if total > MOST_LINES:  # nothing of it will be shown
        files = [file._replace(hunks=None) for file in files]
    return tuple(files)


def _take_patch(scanner: _Scanner, *ends: bytes) -> bytes:
    scanner.skip(len(_PATCH))
    return scanner.take_until(_PATCH, *ends)


def _entry_status(entry: str) -> str:
    return entry.split("\t", 1)[0].split(" ")[4][0]


def _file(entry: str, patch: bytes, *, keep: bool, documented: bool) -> FileChange:
    head, *paths = entry.split("\t")
    mode, new_mode, _, blob, status = head[1:].split(" ")
    path, old_path = paths[-1], None if status == "A" else paths[0]
    start = patch.find(b"\n@@ ") + 1
    hunks = patch[start:] if start else b""
    unread = _decide_unread(path, {mode, new_mode}, patch)
    if unread is not None or not start:
        return FileChange(old_path, path, blob, unread, 0, None, ())
    changed = hunks.count(b"\n+") + hunks.count(b"\n-")
    opened = select_opened_rows(path, hunks) if documented and status != "D" else ()
    if not keep or changed > MOST_LINES:
        return FileChange(old_path, path, blob, None, changed, None, opened)
    return _shown_file(FileChange(old_path, path, blob, None, changed, None, opened), hunks)


def _shown_file(file: FileChange, hunks: bytes) -> FileChange:
    if len(hunks) > LONGEST_LINE and max(map(len, hunks.split(b"\n"))) > LONGEST_LINE:
        return file._replace(unread="long_lines", changed_lines=0, opened=())
    try:
        return file._replace(hunks=hunks.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        return file._replace(unread="not_text", changed_lines=0, opened=())


def _decide_unread(path: str, modes: set[str], patch: bytes) -> str | None:
    """Symbolic links and submodules are no text; a quoted path holds what no source file's name does."""
    if not modes <= _SHOWN:
        return "not_a_file"
    if path.startswith('"') or not path.isprintable():
        return "strange_path"
    binary = b"\nBinary files " in patch[:4_000] and b"\n@@ " not in patch[:4_000]
    return decide_unread(path) or ("binary" if binary else None)


def select_opened_rows(path: str, hunks: bytes) -> tuple[int, ...]:
    """Rows of the new file, from 0, where the hunks add what looks like the first line of a docstring."""
    language = select_language(path)
    if language is None or language.added.search(hunks) is None:
        return ()
    rows, row = [], 0
    for line in hunks.split(b"\n"):
        first = line[:1]
        if first == b"@" and (header := _HUNK.match(line)):
            row = int(header[1]) - 1
        elif first == b"+":
            if language.opens.match(line, 1):
                rows.append(row)
            row += 1
        elif first == b" ":
            row += 1
    return tuple(rows)
