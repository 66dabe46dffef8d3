"""A whole history, read by two processes: each streams its part of the commits from git and judges them.

Two, whatever the machine has: git's own reading is most of the work, and each reader brings a git with it, so more
would buy time with memory that a small machine does not have (ADR 0008).
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.domain.errors import UserError
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
    leave_out_unreadable,
    read_pull_words,
)

READERS = 2
#: Commits that one reader takes at a time. A git takes some 30 ms of a processor to start and to warm its caches, and
#: what 1,000 commits give is some 10 MB.
FEWEST = 100
MOST = 1_000
#: As many in a row that git cannot read mean that the mirror is gone, not that commits are broken.
_SEVERAL = 16


class CommitReading(NamedTuple):
    """What one commit gave, and what of it was left out."""

    sha: str
    examples: tuple[WrittenExample, ...]
    left_out: tuple[LeftOut, ...]


def read_history(git_dir: Path, origin: Origin, shas: Sequence[str]) -> Iterator[CommitReading]:
    """Every commit in the order given, none of them a merge. A commit that git cannot read is left out as such.

    Never in this process, however few they are: a stranger's file can end the process that parses it.

    Raises:
        UserError: when a reader ended so.
    """
    parts = select_parts(shas)
    if not parts:
        return
    read = partial(read_commits, git_dir, origin)
    # spawned: a fork of a process with threads, such as the service, may never come to life
    spawning = multiprocessing.get_context("spawn")
    readers = min(READERS, len(parts), len(os.sched_getaffinity(0)))
    pool = ProcessPoolExecutor(readers, mp_context=spawning, initializer=_end_with_parent)
    try:
        yield from _in_order(pool, read, parts)
    except BrokenProcessPool as error:
        raise UserError(
            f"expected to read the history in {git_dir}, but a reader of it ended: a file in one of its commits makes "
            "a parser fail, or memory ran out; what was read before is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A reader holds both ends of the pipe that its work comes from, so by itself it outlives a service that is killed,
    with all its memory."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 (it runs in readers only)

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, name="end-with-parent", daemon=True).start()


def select_parts(shas: Sequence[str]) -> list[Sequence[str]]:
    """What one reader takes at a time: large parts first, for each starts git anew, and small ones at the end, so that
    no reader waits long for another's last. Pure."""
    parts, start = [], 0
    while start < len(shas):
        size = max(FEWEST, min(MOST, (len(shas) - start) // (2 * READERS)))
        parts.append(shas[start : start + size])
        start += size
    return parts


def _in_order(
    pool: ProcessPoolExecutor, read: Callable[[Sequence[str]], list[CommitReading]], parts: Iterable[Sequence[str]]
) -> Iterator[CommitReading]:
    """Never more than two parts a reader ahead of whoever asks, so memory does not grow with the history."""
    running: deque[Future[list[CommitReading]]] = deque()
    for part in parts:
        running.append(pool.submit(read, part))
        if len(running) >= 2 * READERS:
            yield from running.popleft().result()
    while running:
        yield from running.popleft().result()


def read_pull(git_dir: Path, words: PullRequestWords) -> Found:
    """One description with its diff, in this process. One that git cannot read is left out as such."""
    text = read_pull_words(words)
    if isinstance(text, LeftOut):
        return text
    # to git, a commit and another one behind it is the first with the second for its only parent
    asked = f"{words.pull.head_sha} {words.base_sha}"
    try:
        (change,) = read_changes(git_dir, [asked], documented=False)
    except GitFailed:
        return leave_out_unreadable(words)
    return decide_pull_request(words, text, change)


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
