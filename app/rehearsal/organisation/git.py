"""Turns a story into real bare git repositories, through one `git fast-import` each. Same story, same commit ids."""

import os
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.domain.base import Record, content_hash
from app.domain.errors import UserError
from app.rehearsal.organisation.people import MAINTAINER
from app.rehearsal.organisation.records import PullRequest, Story

_SECONDS = 120
#: Written last into a built repository: what was built, and where.
_RECORD = "understudy-story.json"


class BuiltRepository(Record):
    """A bare repository and where the story's commits are in it.

    `bases` holds the base commit of every pull request by number, `commits` the ids of its commits in order. The
    default branch stands where the story ends: every merge of the story is in it.
    """

    full_name: str
    path: Path
    story: str
    bases: dict[int, str]
    commits: dict[int, tuple[str, ...]]

    def head(self, number: int) -> str:
        return self.commits[number][-1]


@dataclass
class _Stream:
    """A fast-import stream. Marks are numbered from 1 in the order of the commits."""

    parts: list[bytes] = field(default_factory=list)
    marks: int = 0

    def commit(
        self, ref: str, *, author: str, at: datetime, message: str, parents: list[int], changes: dict[str, str]
    ) -> int:
        self.marks += 1
        who = f"{author} <{author}@tidewater.example> {int(at.timestamp())} +0000"
        head = [f"commit {ref}", f"mark :{self.marks}", f"author {who}", f"committer {who}"]
        self._lines(*head)
        self._data(message)
        if parents:
            self._lines(f"from :{parents[0]}", *(f"merge :{mark}" for mark in parents[1:]))
        for path, text in sorted(changes.items()):
            self._lines(f"M 100644 inline {path}")
            self._data(text)
        self._lines("")
        return self.marks

    def _lines(self, *lines: str) -> None:
        self.parts.append("".join(f"{line}\n" for line in lines).encode())

    def _data(self, text: str) -> None:
        raw = text.encode()
        self.parts.append(b"data %d\n%s\n" % (len(raw), raw))


def build_repositories(story: Story, root: Path) -> dict[str, BuiltRepository]:
    """One bare repository per name under `root`, in about a second; those that hold this very story stay as they are.

    Raises:
        UserError: when something else stands in the place of one.
    """
    identity = content_hash("story", story.model_dump_json())
    return {name: _ensure(story, identity, name, root / f"{name}.git") for name in story.repositories}


def _ensure(story: Story, identity: str, name: str, path: Path) -> BuiltRepository:
    record = path / _RECORD
    if record.is_file():
        found = BuiltRepository.model_validate_json(record.read_bytes())
        if found.story == identity:
            return found.model_copy(update={"path": path})
    if path.exists():
        raise UserError(f"{path} holds something else than this story; remove it or choose another folder")
    return _build(story, identity, name, path)


def _build(story: Story, identity: str, name: str, path: Path) -> BuiltRepository:
    path.parent.mkdir(parents=True, exist_ok=True)
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
    stream = _Stream()
    bases, commits = _write_history(story, name, stream)
    shas = _import(path, stream)
    built = BuiltRepository(
        full_name=name,
        path=path,
        story=identity,
        bases={number: shas[mark] for number, mark in bases.items()},
        commits={number: tuple(shas[mark] for mark in marks) for number, marks in commits.items()},
    )
    (path / _RECORD).write_text(built.model_dump_json())
    return built


def _write_history(story: Story, name: str, stream: _Stream) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Marks of the bases and of the commits, by pull request."""
    tip = stream.commit(
        "refs/heads/main",
        author=MAINTAINER,
        at=story.founded_at,
        message="Begin",
        parents=[],
        changes=story.repositories[name],
    )
    bases, commits = {}, {}
    for pull in (*story.merged, *story.held_out):
        if pull.repository == name:
            bases[pull.number] = tip
            commits[pull.number] = _write_pull(pull, tip, stream)
            tip = _merge(pull, tip, commits[pull.number][-1], stream)
    return bases, commits


def _write_pull(pull: PullRequest, base: int, stream: _Stream) -> list[int]:
    marks: list[int] = []
    for commit in pull.commits:
        parent = base if commit.parent is None else marks[commit.parent]
        ref = f"refs/story/{pull.number}/{len(marks)}"
        mark = stream.commit(
            ref, author=commit.author, at=commit.at, message=commit.message, parents=[parent], changes=commit.changes
        )
        marks.append(mark)
    return marks


def _merge(pull: PullRequest, tip: int, head: int, stream: _Stream) -> int:
    """The default branch after the pull request; an open one leaves it as it is."""
    if pull.merged_at is None or pull.merged_by is None:
        return tip
    texts = {path: pull.text_at(len(pull.commits) - 1, path) for path in pull.before}
    return stream.commit(
        "refs/heads/main",
        author=pull.merged_by,
        at=pull.merged_at,
        message=f"Merge pull request #{pull.number}: {pull.title}",
        parents=[tip, head],
        changes=texts,
    )


def _import(path: Path, stream: _Stream) -> dict[int, str]:
    """Run the import and read the commit ids.

    The refs that carried commits are dropped: what GitHub keeps of a forced push is the commit, not a ref to it.
    """
    marks = path / "story-marks"
    _git("--git-dir", str(path), "fast-import", "--quiet", f"--export-marks={marks}", stdin=b"".join(stream.parts))
    shas = {int(mark[1:]): sha for mark, sha in (line.split() for line in marks.read_text().splitlines())}
    marks.unlink()
    refs = _git("--git-dir", str(path), "for-each-ref", "--format=delete %(refname)", "refs/story/")
    _git("--git-dir", str(path), "update-ref", "--stdin", stdin=refs)
    return shas


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["git", *arguments], input=stdin, capture_output=True, env=environment, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise UserError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
