"""Reading a mirror: files, their fate between two commits, the diff of a pull request, and the commits of a path.

PyDriller reads the commits; names and diffs are git's own. PyDriller's `modified_files` would bring the patches of all
files of a commit into this process, and a push of 70 KB can make those gigabytes: here git tells the names, and the
patch of the one file that is followed, once its size is known. Every answer is kept, for a pull request asks the same
few questions once per comment. Nothing here decides anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pydriller import Git

from app.domain.base import Record
from app.domain.diff import FileDiff, parse_patch
from app.github.git import GitFailed, TooLong, has_commit, lock_mirror, read_git
from app.harvest.evidence import FileFate
from app.harvest.positions import Change, parse_changes

#: Context lines of a hunk of the pull request's diff; GitHub shows three, the reviewer's eye takes in more.
CONTEXT = 5
#: Commits looked at behind one comment. Longer paths come from base branches merged in, which hold no fix.
COMMITS = 250
#: Bytes of the largest file that is read. A few KB of git can hold a file of gigabytes, and strangers push them.
FILE_BYTES = 1_000_000
#: Bytes of the longest list of changed files, some 50,000 of them. A tree that repeats itself names millions.
NAMES_BYTES = 4_000_000
#: The tree of no files, which git knows without having it.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv")


class PathCommit(Record):
    """One commit on the first-parent path. `names`: every file it changes, by its old and its new name, None where that
    is not told: for a merge, and for a list longer than NAMES_BYTES. `olds`: by the new name, what each file was called
    before."""

    sha: str
    parent: str | None
    names: frozenset[str] | None
    olds: dict[str, str]


@contextmanager
def open_history(mirror: Path) -> Iterator["History"]:
    """A History over a locked mirror."""
    with lock_mirror(mirror):
        driller = Git(str(mirror))
        try:
            yield History(mirror, driller)
        finally:
            driller.clear()
            driller.repo.close()


class History:
    """Answers about one mirror. Live only inside `open_history`; paths are as in the tree, never quoted."""

    def __init__(self, mirror: Path, driller: Any) -> None:  # noqa: ANN401 (PyDriller ships no types)
        self._mirror = mirror
        self._driller = driller
        self.has = cache(lambda sha: has_commit(mirror, sha))
        self.merge_base = cache(self._merge_base)
        self.names = cache(self._names)
        self.size = cache(self._size)
        self.lines = cache(self._lines)
        self.changes = cache(self._changes)
        self.file_diff = cache(self._file_diff)
        self._commit = cache(self._read_commit)
        self._paths = cache(self._shas)

    def _merge_base(self, left: str, right: str) -> str | None:
        try:
            return read_git(self._mirror, "merge-base", left, right).strip() or None
        except GitFailed:
            return None

    def is_ancestor(self, earlier: str, later: str) -> bool:
        return self.merge_base(earlier, later) == earlier

    def _names(self, left: str, right: str) -> dict[str, str | None]:
        """Old name → new name of every file that differs; None when it was deleted, absent when it is the same."""
        told = read_git(self._mirror, "diff", "--name-status", "-M", "-z", left, right, most_bytes=NAMES_BYTES)
        names: dict[str, str | None] = {}
        rest = iter(told.split("\0")[:-1])
        for status in rest:
            path = next(rest)
            if status[0] in "RC":
                target = next(rest)
                if status[0] == "R":
                    names[path] = target
            elif status[0] == "D":
                names[path] = None
            else:
                names[path] = path
        return names

    def follow_name(self, path: str, left: str, right: str) -> str | None:
        """The name of a file at `right` that is called `path` at `left`, None when it is not there any more."""
        return self.names(left, right).get(path, path)

    def old_name(self, path: str, left: str, right: str) -> str:
        """The name at `left` of a file that is called `path` at `right`; its own when it is new."""
        return next((old for old, new in self.names(left, right).items() if new == path and old != path), path)

    def _lines(self, sha: str, path: str) -> tuple[str, ...] | None:
        """The lines of a file, None when the commit has no such file or one over FILE_BYTES."""
        size = self.size(sha, path)
        if size is None or size > FILE_BYTES:
            return None
        try:
            text = read_git(self._mirror, "cat-file", "blob", f"{sha}:{path}")
        except GitFailed:
            return None
        return tuple(line.rstrip("\r") for line in text.removesuffix("\n").split("\n"))

    def _size(self, sha: str, path: str) -> int | None:
        """Bytes of a file, None when the commit has no such file."""
        try:
            return int(read_git(self._mirror, "cat-file", "-s", f"{sha}:{path}"))
        except GitFailed:
            return None

    def patch(self, left: str, old: str, right: str, new: str) -> str:
        """The hunks between two versions of a file, as text."""
        diff = read_git(self._mirror, "diff", *_PLAIN, f"{left}:{old}", f"{right}:{new}")
        return _hunks_of(diff)

    def _changes(self, left: str, old: str, right: str, new: str) -> tuple[Change, ...]:
        diff = read_git(self._mirror, "diff", "-U0", *_PLAIN, f"{left}:{old}", f"{right}:{new}")
        return parse_changes(diff)

    def fate(self, path: str, left: str, right: str) -> FileFate | None:
        """What became of a file between two commits, None when it is absent at either."""
        before, name = self.lines(left, path), self.follow_name(path, left, right)
        after = None if name is None else self.lines(right, name)
        if before is None or after is None or name is None:
            return None
        return FileFate(changes=self.changes(left, path, right, name), before=before, after=after)

    def _file_diff(self, base: str, sha: str, path: str) -> FileDiff:
        """One file of the pull request's diff, as GitHub builds it: against the merge base, renames followed.

        Without hunks when either version is over FILE_BYTES.
        """
        old = self.old_name(path, base, sha)
        if max(self.size(base, old) or 0, self.size(sha, path) or 0) > FILE_BYTES:
            return FileDiff(path=path, hunks=())
        if self.size(base, old) is None:
            text = read_git(self._mirror, "--literal-pathspecs", "diff", *_PLAIN, EMPTY_TREE, sha, "--", path)
        else:
            text = read_git(self._mirror, "diff", f"-U{CONTEXT}", *_PLAIN, f"{base}:{old}", f"{sha}:{path}")
        return parse_patch(path, _hunks_of(text))

    def changed_paths(self, base: str, sha: str) -> tuple[str, ...]:
        """Every file of the pull request's diff that still exists, sorted."""
        return tuple(sorted(name for name in self.names(base, sha).values() if name is not None))

    def commits(self, start: str, end: str, *, newest_first: bool = False) -> Iterator[PathCommit]:
        """The first-parent path from `start` (left out) to `end`, oldest first unless asked otherwise; lazily read."""
        shas = self._paths(start, end)
        return (self._commit(sha) for sha in (shas if newest_first else reversed(shas)))

    def _shas(self, start: str, end: str) -> tuple[str, ...]:
        options = ("rev-list", "--first-parent", f"--max-count={COMMITS}", f"{start}..{end}")
        return tuple(read_git(self._mirror, *options).split())

    def _read_commit(self, sha: str) -> PathCommit:
        commit = self._driller.get_commit(sha)
        parent = commit.parents[0] if commit.parents else None
        names = None if commit.merge else self._names_or_none(parent or EMPTY_TREE, sha)
        if names is None:
            return PathCommit(sha=sha, parent=parent, names=None, olds={})
        both = frozenset(name for pair in names.items() for name in pair if name is not None)
        return PathCommit(
            sha=sha, parent=parent, names=both, olds={new: old for old, new in names.items() if new is not None}
        )

    def _names_or_none(self, left: str, right: str) -> dict[str, str | None] | None:
        try:
            return self.names(left, right)
        except TooLong:
            return None

    def own_patch(self, commit: PathCommit, name: str) -> str:
        """The hunks of the commit's own diff of the file that it leaves with this name; empty where it does not change
        it, made it, or either version is over FILE_BYTES."""
        old = commit.olds.get(name)
        if old is None or commit.parent is None:
            return ""
        sizes = (self.size(commit.parent, old), self.size(commit.sha, name))
        if any(size is None or size > FILE_BYTES for size in sizes):
            return ""
        return self.patch(commit.parent, old, commit.sha, name)


def _hunks_of(diff: str) -> str:
    """The diff of one file without its header lines."""
    return diff[diff.find("\n@@ ") + 1 :] if "\n@@ " in diff else ""
