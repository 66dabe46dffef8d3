"""Real reviews as HunkRows, pull requests in order of time.

Protocol of design.md: for every commit that was commented on, the added lines of the files that got a comment; a line
is labelled 1 when a comment of someone other than the author sits on it. The diff is the pull request's as GitHub
showed it then: from where it left the default branch to the commit.
"""

import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.domain.diff import FileDiff, Hunk, parse_patch
from app.domain.snapshots import HunkRow
from tests.benchmarks.locator.reading import Comment


@dataclass(frozen=True)
class Reviewed:
    """Rows of each pull request, oldest first; comments that could not be placed, by reason."""

    name: str
    pulls: tuple[tuple[HunkRow, ...], ...]
    lost: dict[str, int]


def read_reviewed(name: str, mirror: Path, comments: Sequence[Comment], *, all_files: bool = False) -> Reviewed:
    """`all_files`: also the files that got no comment, as a review meets them.

    Comments on commits that the mirror no longer has are lost, with their commit's lines.
    """
    git = _Git(mirror)
    lost: Counter[str] = Counter()
    by_commit: defaultdict[tuple[int, str], list[Comment]] = defaultdict(list)
    for comment in comments:
        by_commit[comment.pull, comment.commit].append(comment)
    by_pull: defaultdict[int, list[HunkRow]] = defaultdict(list)
    for (pull, sha), group in sorted(by_commit.items(), key=lambda item: min(comment.at for comment in item[1])):
        if git.has(sha):
            by_pull[pull].extend(_read_commit(name, git.diff(group[0]), group, lost, all_files))
        else:
            lost["commit is gone"] += len(group)
    pulls = sorted((rows for rows in by_pull.values() if rows), key=lambda rows: rows[0].created_at)
    return Reviewed(name, tuple(map(tuple, pulls)), dict(lost))


def _read_commit(
    name: str, diff: Sequence[FileDiff], comments: Sequence[Comment], lost: Counter[str], all_files: bool
) -> Iterable[HunkRow]:
    files = {file.path: file for file in diff}
    said: defaultdict[str, set[int | None]] = defaultdict(set)
    for comment in comments:
        said[comment.path].add(comment.line)
        lost["not on an added line"] += comment.line is None
        lost["file is not in the diff"] += comment.path not in files
    first = comments[0]
    for path in sorted(files if all_files else said.keys() & files.keys()):
        for hunk in files[path].hunks:
            yield HunkRow(
                examples=(),
                repository=name,
                pull_request=first.pull,
                created_at=first.opened,
                path=path,
                hunk=hunk,
                labels=_labels(hunk, said[path]),
            )


def _labels(hunk: Hunk, said: set[int | None]) -> tuple[int | None, ...]:
    return tuple(int(line.new in said) if line.kind == "added" and line.text.strip() else None for line in hunk.lines)


class _Git:
    """A bare repository with a default branch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.has = cache(self._has)

    def _run(self, *arguments: str) -> str:
        command = ["git", "--git-dir", str(self._folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout

    def _has(self, sha: str) -> bool:
        command = ["git", "--git-dir", str(self._folder), "cat-file", "-e", f"{sha}^{{commit}}"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def diff(self, comment: Comment) -> list[FileDiff]:
        """What the pull request had changed at the commented commit, against the default branch as it was then."""
        sha = comment.commit
        when = self._run("show", "--no-patch", "--format=%cI", sha).strip()
        branch = self._run("rev-list", "-1", "--first-parent", f"--before={when}", "HEAD").strip()
        base = self._run("merge-base", branch, sha).strip()
        # A fast-forward merge makes the pull request's own commits the branch.
        if comment.parent is not None and base in comment.commits | {sha}:
            base = self._run("merge-base", comment.parent, sha).strip()
        text = self._run("diff", "--no-prefix", "--no-color", "-M", base, sha)
        parts = [part for part in f"\n{text}".split("\ndiff --git ")[1:] if "\n+++ " in part and "\n@@ " in part]
        return [_parse_file(part) for part in parts]


def _parse_file(part: str) -> FileDiff:
    path = part.split("\n+++ ", 1)[1].split("\n", 1)[0].rstrip("\t")
    return parse_patch(path, part[part.index("\n@@ ") + 1 :])
