"""What an author does after a review: three pushes and a rebase, made of git's own objects in a bare repository.

1. An empty line before everything in every file: all patches change, all lines move, nothing is said otherwise.
2. The first line that got a comment is deleted; where none did, the empty lines come a second time.
3. A file that has nothing to do with the others.
4. The branch is rebased on a base that begins each file with an empty line.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.rehearsal.standin import StandIn
from app.rehearsal.standin.state import PullRequest

ROUNDS = ("opened", "moved", "fixed", "elsewhere", "rebased")
_TEXT_LIMIT = 200_000
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


class Objects:
    """A bare repository in which commits are made without a work tree."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, commit: str, path: str) -> str | None:
        """A file's text; None where there is none, or none that is text of a usual size."""
        done = self._git("cat-file", "blob", f"{commit}:{path}", check=False)
        if done.returncode != 0 or len(done.stdout) > _TEXT_LIMIT or b"\0" in done.stdout:
            return None
        try:
            return done.stdout.decode()
        except UnicodeDecodeError:
            return None

    def merge_base(self, one: str, other: str) -> str:
        return self._git("merge-base", one, other).stdout.decode().strip()

    def changed(self, base: str, head: str) -> list[str]:
        """Paths that a pull request adds or modifies."""
        listed = self._git("diff", "--name-only", "-z", "--no-renames", "--diff-filter=AM", base, head).stdout
        return [name.decode() for name in listed.split(b"\0") if name]

    def commit(self, parent: str, files: Mapping[str, str], *, tree_of: str | None = None) -> str:
        """A commit on `parent` whose tree is that of `tree_of`, else of the parent, with these files exchanged."""
        index = self.path / "benchmark.index"
        index.unlink(missing_ok=True)
        environment = {"GIT_INDEX_FILE": str(index)}
        self._git("read-tree", tree_of or parent, environment=environment)
        for path, text in files.items():
            blob = self._git("hash-object", "-w", "--stdin", given=text.encode()).stdout.decode().strip()
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=environment)
        tree = self._git("write-tree", environment=environment).stdout.decode().strip()
        return self._git("commit-tree", tree, "-p", parent, "-m", "Go on").stdout.decode().strip()

    def _git(
        self,
        *arguments: str,
        given: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=given,
            capture_output=True,
            check=check,
            env={**os.environ, **_IDENTITY, **(environment or {})},
        )


@dataclass
class Branch:
    """A pull request that goes on. `bases`: what each of its heads is held against, by head."""

    standin: StandIn
    repository: str
    number: int
    bases: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.objects = Objects(self.standin.bare_path(self.repository))
        self.base = self.objects.merge_base(self._pull.base_sha, self.head)
        self.bases[self.head] = self.base

    @property
    def head(self) -> str:
        return self._pull.head_sha

    @property
    def _pull(self) -> PullRequest:
        return self.standin.find_pull(self.repository, self.number)[1]

    def go_on(self, step: str, commented: list[tuple[str, str]]) -> tuple[str, str] | None:
        """One of ROUNDS after the first. `commented`: path and text of lines that have a comment, in its order.
        Returns the line that was deleted."""
        if step == "rebased":
            self._rebase()
            return None
        if step == "elsewhere":
            self._push({f"notes-{self.number}.txt": "Nothing to do with the rest.\n"})
            return None
        place = next(iter(commented), None) if step == "fixed" else None
        self._push(self._moved() if place is None else self._without(*place))
        return place

    def _moved(self) -> dict[str, str]:
        texts = {path: self.objects.read(self.head, path) for path in self.objects.changed(self.base, self.head)}
        return {path: f"\n{text}" for path, text in texts.items() if text is not None}

    def _without(self, path: str, line: str) -> dict[str, str]:
        text = self.objects.read(self.head, path) or ""
        return {path: "".join(one for one in text.splitlines(keepends=True) if one.strip() != line)}

    def _push(self, files: Mapping[str, str]) -> None:
        self._move_to(self.objects.commit(self.head, files), force=False)

    def _rebase(self) -> None:
        touched = self.objects.changed(self.base, self.head)
        before = {path: self.objects.read(self.base, path) for path in touched}
        moved = {path: f"\n{text}" for path, text in before.items() if text is not None}
        base = self.objects.commit(self.base, moved)
        after = {path: self.objects.read(self.head, path) for path in moved}
        head = self.objects.commit(base, {path: f"\n{text}" for path, text in after.items() if text}, tree_of=self.head)
        self.base = self._pull.base_sha = base
        self._move_to(head, force=True)

    def _move_to(self, head: str, *, force: bool) -> None:
        self.bases[head] = self.base
        self.standin.push(self.repository, self.number, head, force=force)
