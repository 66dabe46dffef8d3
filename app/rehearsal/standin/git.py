"""Questions to one bare git repository. Answers about immutable objects are kept, so each is asked of git once."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from app.domain.diff import FileDiff, parse_patch
from app.domain.errors import UserError

_STATUSES: Final = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_FULL: Final = re.compile(r"[0-9a-f]{40}")
_SECTION: Final = re.compile(r"^diff --git ", re.MULTILINE)
_PATCH_LINES: Final = 20_000
_PATCH_BYTES: Final = 500_000
_SECONDS: Final = 120


def git_environment() -> dict[str, str]:
    """No configuration of this machine or user reaches the stand-in's git; ownership of folders is not its concern."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
        "GIT_CONFIG_VALUE_1": "true",
        "GIT_CONFIG_KEY_2": "uploadpack.allowFilter",
        "GIT_CONFIG_VALUE_2": "true",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
    }


@dataclass(frozen=True)
class Signature:
    name: str
    email: str
    at: datetime


@dataclass(frozen=True)
class Commit:
    sha: str
    tree_sha: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class FileChange:
    """One changed file. `patch` holds the hunks only, None for binary files and those too large for GitHub to show."""

    path: str
    previous_path: str | None
    status: str
    blob_sha: str
    additions: int
    deletions: int
    patch: str | None

    @cached_property
    def diff(self) -> FileDiff:
        return parse_patch(self.path, self.patch or "")


class BareRepository:
    """One bare repository on disk. Not thread-safe by itself: `StandIn` holds its lock around every call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes: dict[tuple[str, str], tuple[FileChange, ...]] = {}
        self._moves: dict[tuple[str, str], dict[str, tuple[tuple[int, int, int, int], ...]]] = {}
        self._known: set[str] = set()
        self._absent: set[str] = set()
        self._commits: dict[str, Commit] = {}
        self._bases: dict[tuple[str, str], str | None] = {}
        self._ranges: dict[tuple[str, str], tuple[str, ...]] = {}

    @classmethod
    def create(cls, path: Path, default_branch: str) -> "BareRepository":
        path.parent.mkdir(parents=True, exist_ok=True)
        _git(None, "init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(path))
        return cls(path)

    @classmethod
    def adopt(cls, path: Path, source: Path) -> "BareRepository":
        """A repository with every ref of `source` that borrows its objects, so that `source` is never written."""
        if not (source / "objects").is_dir():
            raise UserError(f"{source}: expected a bare git repository; make one with `git clone --mirror`")
        path.parent.mkdir(parents=True, exist_ok=True)
        _git(None, "clone", "--quiet", "--mirror", "--shared", str(source.resolve()), str(path))
        _git(path, "remote", "remove", "origin")
        return cls(path)

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        return _git(self.path, *arguments, stdin=stdin)

    def resolve(self, revision: str) -> str | None:
        """Commit id a revision names, None when it names none."""
        if revision in self._commits or revision in self._known:
            return revision
        if revision in self._absent:
            return None
        done = _try_git(self.path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        sha = done.stdout.decode().strip() if done.returncode == 0 else None
        if _FULL.fullmatch(revision):
            (self._absent if sha is None else self._known).add(revision)
        return sha

    def set_ref(self, ref: str, sha: str) -> None:
        """Point a ref at a commit. What was absent before may have come since."""
        self._absent.clear()
        self.run("update-ref", ref, sha)

    def blob(self, revision: str) -> tuple[str, bytes] | None:
        """Id and content of the file that `branch:path` names, None when it names none."""
        found = _try_git(self.path, "rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        sha = found.stdout.decode().strip()
        done = _try_git(self.path, "cat-file", "blob", sha) if found.returncode == 0 else found
        return (sha, done.stdout) if done.returncode == 0 else None

    def default_branch(self, wanted: str) -> str:
        """`wanted` where such a branch exists, else what HEAD names."""
        if self.resolve(f"refs/heads/{wanted}"):
            return wanted
        return self.run("symbolic-ref", "--short", "HEAD").strip()

    def commit(self, sha: str) -> Commit:
        if sha not in self._commits:
            self._load_commits("--no-walk", sha)
        return self._commits[sha]

    def commits(self, base: str, head: str) -> list[Commit]:
        """Commits of head that base has not, oldest first."""
        if (base, head) not in self._ranges:
            self._ranges[base, head] = self._load_commits("--reverse", "--topo-order", head, f"^{base}")
        return [self._commits[sha] for sha in self._ranges[base, head]]

    def merge_base(self, one: str, other: str) -> str | None:
        if (one, other) not in self._bases:
            done = _try_git(self.path, "merge-base", one, other)
            self._bases[one, other] = done.stdout.decode().strip() or None
        return self._bases[one, other]

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """Files that differ between two commits, in git's order, renames found."""
        if (base, head) not in self._changes:
            options = ["--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "-M", "--raw", "--patch", "-z"]
            self._changes[base, head] = _parse_changes(self.run("diff", *options, base, head))
        return self._changes[base, head]

    def pull_changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """What a pull request shows: from the merge base to the head."""
        return self.changes(self.merge_base(base, head) or base, head)

    def moved_line(self, path: str, line: int, base: str, head: str) -> int | None:
        """Where an unchanged line of `base` stands in `head`; None when it was changed, removed or cannot be known."""
        if base == head:
            return line
        if self.resolve(base) is None or self.resolve(head) is None:
            return None
        if (base, head) not in self._moves:
            options = ["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "-U0", "--raw", "--patch", "-z"]
            parsed = _parse_changes(self.run("diff", *options, base, head))
            self._moves[base, head] = {change.path: _ranges(change) for change in parsed}
        return _shift(self._moves[base, head].get(path, ()), line)

    def merge(self, branch: str, head: str, message: str, who: Signature, *, is_squash: bool = False) -> str:
        """Merge `head` into a branch as GitHub's button does; squashed it is one commit of `who` with one parent.

        A recorded pull request whose branch went on without it may conflict or be contained already: then the branch
        stays as it is and the head itself is the merge commit.
        """
        tip = self.resolve(f"refs/heads/{branch}")
        if tip is None or self.merge_base(tip, head) == head:
            return head
        done = _try_git(self.path, "merge-tree", "--write-tree", tip, head)
        if done.returncode != 0:
            return head
        tree = done.stdout.decode().split("\n", 1)[0]
        parents = ["-p", tip] if is_squash else ["-p", tip, "-p", head]
        sha = _git(self.path, "commit-tree", tree, *parents, "-m", message, extra=_as_person(who)).strip()
        self.set_ref(f"refs/heads/{branch}", sha)
        return sha

    def commit_file(self, branch: str, path: str, content: bytes, message: str, who: Signature) -> str:
        """One commit on a branch that makes or replaces one file; its id."""
        tip = self.run("rev-parse", f"refs/heads/{branch}").strip()
        blob = self.run("hash-object", "-w", "--stdin", stdin=content.decode()).strip()
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            _git(self.path, "read-tree", tip, extra=index)
            _git(self.path, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra=index)
            tree = _git(self.path, "write-tree", extra=index).strip()
        sha = _git(self.path, "commit-tree", tree, "-p", tip, "-m", message, extra=_as_person(who)).strip()
        self.set_ref(f"refs/heads/{branch}", sha)
        return sha

    def _load_commits(self, *arguments: str) -> tuple[str, ...]:
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
        found = []
        for text in self.run("log", f"--format=tformat:{form}", *arguments).split("\x01"):
            fields = text.lstrip("\n").split("\x00")
            if len(fields) > 9:
                commit = _commit(fields)
                self._commits[commit.sha] = commit
                found.append(commit.sha)
        return tuple(found)


def _commit(fields: list[str]) -> Commit:
    sha, tree, parents, name, email, at, other_name, other_email, other_at, message = fields[:10]
    return Commit(
        sha=sha,
        tree_sha=tree,
        parents=tuple(parents.split()),
        author=Signature(name, email, datetime.fromisoformat(at)),
        committer=Signature(other_name, other_email, datetime.fromisoformat(other_at)),
        message=message.rstrip("\n"),
    )


def _parse_changes(output: str) -> tuple[FileChange, ...]:
    """Read `git diff --raw --patch -z`: NUL-separated records, an empty one, then patches in the same order."""
    raw, _, patches = output.partition("\x00\x00")
    sections = [f"diff --git {text}" for text in _SECTION.split(patches)[1:]]
    fields = raw.lstrip("\n").split("\x00")
    changes = []
    while fields and fields[0].startswith(":"):
        _, _, old_blob, new_blob, status = fields.pop(0).split(" ")
        blob = old_blob if status == "D" else new_blob
        previous = fields.pop(0)
        path = fields.pop(0) if status[0] in "RC" else previous
        taken = [sections.pop(0) for _ in range(2 if status[0] == "T" else 1) if sections]
        changes.append(_change(path, None if path == previous else previous, status[0], blob, taken))
    return tuple(changes)


def _change(path: str, previous: str | None, status: str, blob: str, sections: list[str]) -> FileChange:
    starts = [found.start() for text in sections if (found := _HUNK.search(text))]
    patch = sections[0][starts[0] :].rstrip("\n") if starts else None
    lines = patch.split("\n") if patch is not None else []
    shown = patch is not None and len(lines) <= _PATCH_LINES and len(patch) <= _PATCH_BYTES
    return FileChange(
        path=path,
        previous_path=previous,
        status=_STATUSES.get(status, "changed"),
        blob_sha=blob,
        additions=sum(line.startswith("+") for line in lines),
        deletions=sum(line.startswith("-") for line in lines),
        patch=patch if shown else None,
    )


def _ranges(change: FileChange) -> tuple[tuple[int, int, int, int], ...]:
    """(old start, old length, new start, new length) of each hunk; a file with no hunks to read is all changed."""
    if change.patch is None:
        return ((1, 1 << 31, 1, 0),)
    found = (
        tuple(int(part or 1) for part in match.groups(default="1")) for match in _HUNK.finditer(change.patch or "")
    )
    return tuple((a, b, c, d) for a, b, c, d in found)


def _shift(ranges: tuple[tuple[int, int, int, int], ...], line: int) -> int | None:
    offset = 0
    for start, removed, _, added in ranges:
        last = start + removed - 1 if removed else start  # `-5,0` means: something was put in after line 5
        if removed and start <= line <= last:
            return None
        if line > last:
            offset += added - removed
    return line + offset


def _as_person(who: Signature) -> dict[str, str]:
    moment = who.at.isoformat()
    author = {"GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email, "GIT_AUTHOR_DATE": moment}
    return author | {key.replace("AUTHOR", "COMMITTER"): value for key, value in author.items()}


def _try_git(
    path: Path | None, *arguments: str, stdin: str | None = None, extra: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    where = [] if path is None else ["--git-dir", str(path)]
    return subprocess.run(
        ["git", *where, *arguments],
        input=None if stdin is None else stdin.encode(),
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env=git_environment() | (extra or {}),
        timeout=_SECONDS,
        check=False,
    )


def _git(path: Path | None, *arguments: str, stdin: str | None = None, extra: dict[str, str] | None = None) -> str:
    done = _try_git(path, *arguments, stdin=stdin, extra=extra)
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace").strip()
        raise UserError(f"git {arguments[0]} failed in {path or 'a new repository'}: {told}")
    return done.stdout.decode(errors="replace")
