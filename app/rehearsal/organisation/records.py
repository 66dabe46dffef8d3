"""The story as data: who did what, when, to which text. Nothing here knows git or GitHub."""

from datetime import datetime
from typing import Literal

from app.domain.base import Record

#: What a comment is: about a house rule, or one of the things that are no lesson.
ThreadKind = Literal["rule", "peeve", "praise", "question", "nit", "self", "bot"]
#: What becomes of the commented line: rewritten, only its neighbours change, a suggestion applied, or nothing.
Fate = Literal["line", "near", "suggestion", "unchanged"]


class Person(Record):
    """Someone with a login. `permission` is GitHub's word for the role on both repositories."""

    login: str
    permission: Literal["admin", "maintain", "write", "triage", "read"]
    is_bot: bool = False


class Commit(Record):
    """One commit of a pull request. `parent` is an index into its commits, None the base.

    `changes` holds the whole text of every path that differs from the parent.
    """

    parent: int | None
    message: str
    author: str
    at: datetime
    changes: dict[str, str]


class Reply(Record):
    author: str
    body: str
    at: datetime


class Thread(Record):
    """A review thread: a comment on one added line as it stood at commit index `commit`."""

    comment_id: int
    commit: int
    path: str
    line: int
    line_text: str
    author: str
    body: str
    kind: ThreadKind
    rule: str | None
    fate: Fate
    replies: tuple[Reply, ...]
    resolved: bool
    at: datetime


class Approval(Record):
    """The APPROVED review at the head."""

    author: str
    at: datetime


class Label(Record):
    name: Literal["understudy:approve", "understudy:reject"]
    by: str
    at: datetime


class Violation(Record):
    """One line of the answer key: where at the head which rule is broken."""

    path: str
    line: int
    rule: str


class PullRequest(Record):
    """A pull request from its opening to its end. `before` is the text, at the base, of every path it touches."""

    repository: str
    number: int
    title: str
    body: str
    author: str
    created_at: datetime
    before: dict[str, str]
    commits: tuple[Commit, ...]
    threads: tuple[Thread, ...] = ()
    approval: Approval | None = None
    merged_by: str | None = None
    merged_at: datetime | None = None
    label: Label | None = None
    violations: tuple[Violation, ...] = ()

    @property
    def force_pushed(self) -> bool:
        return any(commit.parent is None for commit in self.commits[1:])

    def text_at(self, index: int, path: str) -> str:
        """The text of a touched path at one commit, "" where it does not exist."""
        at: int | None = index
        while at is not None:
            commit = self.commits[at]
            if path in commit.changes:
                return commit.changes[path]
            at = commit.parent
        return self.before.get(path, "")

    def paths_at(self, index: int) -> tuple[str, ...]:
        """Every path that differs from the base at one commit, sorted."""
        paths = sorted({path for commit in self.commits for path in commit.changes})
        return tuple(path for path in paths if self.text_at(index, path) != self.before.get(path, ""))


class Story(Record):
    """The whole organisation: its people, the first text of its repositories, and their pull requests by time."""

    seed: int
    noise: bool
    #: when the repositories were made
    founded_at: datetime
    people: tuple[Person, ...]
    #: repository full name → path → text of the first commit
    repositories: dict[str, dict[str, str]]
    #: login of the maintainer who labels and merges
    maintainer: str
    merged: tuple[PullRequest, ...]
    held_out: tuple[PullRequest, ...]

    @property
    def threads(self) -> tuple[Thread, ...]:
        return tuple(thread for pull in self.merged for thread in pull.threads)
