"""A whole history, read by two processes: each streams its part of the commits from git and judges them.

Two, whatever the machine has: git's own reading is most of the work, and each reader brings a git with it, so more
would buy time with memory that a small machine does not have (ADR 0008).
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from app.domain.written import WrittenExample, WrittenKind
from app.github.git import GitFailed
from app.history.blobs import open_blobs
from app.history.changes import CommitChange, read_changes
from app.history.deciding import (
    Found,
    LeftOut,
    Origin,
    PullRequestWords,
    decide_commit,
    decide_docstrings,
    decide_pull_request,
)

_Given = TypeVar("_Given")
_Read = TypeVar("_Read")


READERS = 2
#: Commits or pull requests that one reader takes at a time: enough to warm the caches of git, few enough to hold.
PART = 200
#: As many in a row that git cannot read mean that the mirror is gone, not that commits are broken.
_SEVERAL = 16


class CommitReading(NamedTuple):
    """What one commit gave, and what of it was left out."""

    sha: str
    examples: tuple[WrittenExample, ...]
    left_out: tuple[LeftOut, ...]


class Readers:
    """The reading processes, started when there is enough to read. Close them: they hold some 80 MB each."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read_history(self, git_dir: Path, origin: Origin, shas: Sequence[str]) -> Iterator[CommitReading]:
        """Every commit in the order given, none of them a merge. A commit that git cannot read is left out as such."""
        yield from self._read(partial(read_commits, git_dir, origin), shas)

    def read_pull_requests(self, git_dir: Path, pulls: Sequence[PullRequestWords]) -> Iterator[Found]:
        """Every pull request in the order given. One that git cannot read is left out as such."""
        yield from self._read(partial(read_pulls, git_dir), pulls)

    def _read(self, read: Callable[[Sequence[_Given]], list[_Read]], given: Sequence[_Given]) -> Iterator[_Read]:
        parts = [given[start : start + PART] for start in range(0, len(given), PART)]
        if min(READERS, len(parts), len(os.sched_getaffinity(0))) < 2:
            for part in parts:
                yield from read(part)
            return
        if self._pool is None:
            # spawned: a fork of a process with threads, such as the service, may never come to life
            self._pool = ProcessPoolExecutor(READERS, mp_context=multiprocessing.get_context("spawn"))
        yield from _in_order(self._pool, read, parts)


def _in_order(
    pool: ProcessPoolExecutor, read: Callable[[Sequence[_Given]], list[_Read]], parts: Sequence[Sequence[_Given]]
) -> Iterator[_Read]:
    """Never more than two parts a reader ahead of whoever asks, so memory does not grow with the history."""
    running: deque[Future[list[_Read]]] = deque()
    for part in parts:
        running.append(pool.submit(read, part))
        if len(running) >= 2 * READERS:
            yield from running.popleft().result()
    while running:
        yield from running.popleft().result()


def read_pulls(git_dir: Path, pulls: Sequence[PullRequestWords]) -> list[Found]:
    """One part, in this process, as `read_commits` does it.

    Raises:
        GitFailed: when git fails on every one of several.
    """
    # to git, a commit and another one behind it is the first with the second for its only parent
    asked = [f"{words.pull.head_sha} {words.base_sha}" for words in pulls]
    try:
        changes = read_changes(git_dir, asked, documented=False)
        return [decide_pull_request(words, change) for words, change in zip(pulls, changes, strict=True)]
    except GitFailed:
        if len(pulls) == 1:
            return [_unreadable_pull(pulls[0])]
        middle = len(pulls) // 2
        found = read_pulls(git_dir, pulls[:middle]) + read_pulls(git_dir, pulls[middle:])
        if len(pulls) >= _SEVERAL and found == [_unreadable_pull(words) for words in pulls]:
            raise  # it is not the pull requests
        return found


def _unreadable_pull(words: PullRequestWords) -> LeftOut:
    return LeftOut(WrittenKind.PULL_REQUEST, "unreadable", f"{words.pull.repository}#{words.pull.number}")


def read_commits(git_dir: Path, origin: Origin, shas: Sequence[str]) -> list[CommitReading]:
    """One part, in this process. A commit that git fails on is looked for by halves and left out.

    Raises:
        GitFailed: when git fails on every one of several.
    """
    try:
        with open_blobs(git_dir) as read_blob:
            return [_judge(change, origin, read_blob) for change in read_changes(git_dir, shas)]
    except GitFailed:
        if len(shas) == 1:
            return [CommitReading(shas[0], (), (_unreadable(shas[0]),))]
        middle = len(shas) // 2
        readings = read_commits(git_dir, origin, shas[:middle]) + read_commits(git_dir, origin, shas[middle:])
        if len(shas) >= _SEVERAL and all(out.left_out[:1] == (_unreadable(out.sha),) for out in readings):
            raise  # it is not the commits
        return readings


def _unreadable(sha: str) -> LeftOut:
    return LeftOut(WrittenKind.COMMIT, "unreadable", sha)


def _judge(change: CommitChange, origin: Origin, read_blob: Callable[[str], bytes]) -> CommitReading:
    found: list[Found] = [decide_commit(change, origin), *decide_docstrings(change, origin, read_blob)]
    return CommitReading(
        change.sha,
        tuple(one for one in found if isinstance(one, WrittenExample)),
        tuple(one for one in found if isinstance(one, LeftOut)),
    )
