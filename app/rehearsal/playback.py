"""Plays an archive of recorded pull requests on the stand-in GitHub, over a copy of the real repository."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from app.domain.errors import UserError
from app.harvest.positions import Change, parse_changes
from app.rehearsal.archive import ArchivedPullRequest
from app.rehearsal.places import ShownFile, read_shown
from app.rehearsal.speaking import Said, Spot, say_thread
from app.rehearsal.standin import StandIn
from app.rehearsal.standin.git import git_environment

#: The rehearsal's own maintainer: the approvals it gives are recorded like any person's.
MAINTAINER = "rehearsal-maintainer"
APPROVE = "understudy:approve"
_GHOST = "ghost"
#: A mirror may be somebody else's, and its configuration name a program for git to show a file with.
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv")


class Mirror:
    """A bare repository with the heads of its pull requests, only ever read."""

    def __init__(self, path: Path) -> None:
        """Raises:
        UserError: when the folder is no repository, or was mirrored without its pull requests.
        """
        self.path = path
        if self._git("rev-parse", "--git-dir") is None:
            raise UserError(f"{path}: expected a bare git repository; make one with `git clone --mirror URL {path}`")
        if not self._git("for-each-ref", "--count=1", "refs/pull"):
            raise UserError(
                f"{path}: expected refs/pull/N/head in the mirror, got none; fetch them with "
                f"`git -C {path} fetch origin '+refs/pull/*/head:refs/pull/*/head'`"
            )

    def resolve(self, revision: str) -> str | None:
        """The commit a revision names, None when the mirror has no such commit."""
        return self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")

    def resolve_all(self, revisions: list[str]) -> list[str | None]:
        """`resolve` for many in one question to git, in their order."""
        asked = "".join(f"{revision}^{{commit}}\n" for revision in revisions)
        answer = self._git("cat-file", "--batch-check=%(objectname)", given=asked) or ""
        lines = answer.splitlines()
        if len(lines) != len(revisions):
            raise UserError(
                f"{self.path}: expected git to name {len(revisions)} commits, got {len(lines)}; is it whole?"
            )
        return [None if line.endswith(" missing") else line for line in lines]

    def fork_point(self, first: str, second: str) -> str | None:
        return self._git("merge-base", first, second)

    def changes(self, left: str, right: str, path: str) -> tuple[Change, ...] | None:
        """What became of a file between two commits, None when one of them has no file of that name."""
        diff = self._git("diff", "-U0", *_PLAIN, f"{left}:{path}", f"{right}:{path}")
        return None if diff is None else parse_changes(diff)

    def shown(self, base: str, head: str) -> dict[str, ShownFile]:
        """What a pull request of these two commits shows, by path."""
        options = [*_PLAIN, "-M", "-U3", "--src-prefix=a/", "--dst-prefix=b/"]
        git = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-C", str(self.path)]
        command = [*git, "diff", *options, f"{base}...{head}"]
        done = subprocess.run(command, env=git_environment(), capture_output=True, check=False)
        if done.returncode != 0:
            raise UserError(f"{self.path}: expected git to compare {base} and {head}: {done.stderr.decode().strip()}")
        return read_shown(done.stdout.decode("utf-8", "replace"))  # bytes: a lone CR ends no line of a diff

    def _git(self, *arguments: str, given: str | None = None) -> str | None:
        command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(self.path), *arguments]
        done = subprocess.run(command, env=git_environment(), capture_output=True, text=True, check=False, input=given)
        return done.stdout.strip() if done.returncode == 0 else None


def set_up(standin: StandIn, repository: str, mirror: Mirror) -> None:
    """The repository with its maintainer, before any pull request."""
    standin.add_repository(repository, bare=mirror.path)
    standin.add_collaborator(repository, MAINTAINER, "admin")


def check_heads(mirror: Mirror, rows: tuple[ArchivedPullRequest, ...]) -> None:
    """Before anything is played.

    Raises:
        UserError: naming every pull request whose head the mirror does not hold.
    """
    fetched = mirror.resolve_all([f"refs/pull/{row.number}/head" for row in rows])
    recorded = mirror.resolve_all([row.head_sha for row in rows])
    missing = [str(row.number) for row, *heads in zip(rows, fetched, recorded, strict=True) if not any(heads)]
    if missing:
        raise UserError(
            f"expected the heads of {len(rows)} pull requests in {mirror.path} (refs/pull/N/head), got none for "
            f"{len(missing)}: {', '.join(missing)}; fetch them or remove their rows"
        )


def find_head(mirror: Mirror, row: ArchivedPullRequest) -> str:
    """Its last known head.

    Raises:
        UserError: when the mirror does not hold it, which `check_heads` finds out beforehand.
    """
    head = mirror.resolve(f"refs/pull/{row.number}/head") or mirror.resolve(row.head_sha)
    if head is None:
        raise UserError(f"pull request {row.number}: {mirror.path} lost its head while it was played")
    return head


def open_recorded(
    standin: StandIn, mirror: Mirror, row: ArchivedPullRequest, *, at: str | None = None, emit: bool = False
) -> None:
    """Open the pull request at a commit of it, its last known head for none.

    Raises:
        UserError: when the mirror does not hold the head.
    """
    head = at or find_head(mirror, row)
    standin.open_pull_request(
        row.repo,
        author=row.author or _GHOST,
        title=row.title,
        head_sha=head,
        base_sha=find_base(mirror, row, head),
        number=row.number,
        created_at=row.created_at,
        emit=emit,
    )


def find_base(mirror: Mirror, row: ArchivedPullRequest, head: str) -> str:
    """What a pull request at this commit is held against."""
    recorded = mirror.resolve(row.first_commit_parent) if row.first_commit_parent else None
    if recorded is not None:
        return mirror.fork_point(recorded, head) or recorded
    return mirror.resolve(f"{head}^") or head


def play_history(
    standin: StandIn, mirror: Mirror, rows: tuple[ArchivedPullRequest, ...]
) -> Iterator[ArchivedPullRequest]:
    """Open, discuss, label and merge each one; yields it right after the merge was announced."""
    for row in rows:
        with standin.silence():
            open_recorded(standin, mirror, row)
            _discuss(standin, row)
            standin.label(row.repo, row.number, APPROVE, by=MAINTAINER)
        standin.merge(row.repo, row.number, by=MAINTAINER, at=row.ended_at)
        yield row


def _discuss(standin: StandIn, row: ArchivedPullRequest) -> None:
    for one in row.comments:
        spot = Spot(
            row.repo, row.number, one.path, one.original_line, one.original_commit_id, one.side, diff_hunk=one.diff_hunk
        )
        replies = [Said(reply.user, reply.body, reply.created_at, reply.id) for reply in one.replies]
        say_thread(standin, spot, Said(one.user, one.body, one.created_at, one.id), replies)
