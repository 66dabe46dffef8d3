"""Review comments as archives hold them: one pull request a line, or one comment a line.

Only what GitHub shows is read. The answer keys (`truth`, `gold_…`, `…_proxy`) are never touched.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

_ARCHIVE = ("number", "opened", "by", "user", "original_commit_id", "created_at", "path", "diff_hunk")
_REVIEWS = ("pr", "pr_created", "pr_author", "author", "original_commit", "created", "path", "diff_hunk")


@dataclass(frozen=True)
class Comment:
    """A comment of someone other than the author. `line` is new-side; None where no added line carries it."""

    pull: int
    opened: datetime
    author: str
    reviewer: str
    commit: str
    at: datetime
    path: str
    line: int | None
    #: Where the pull request left the default branch, and its commits, where the source tells.
    parent: str | None = None
    commits: frozenset[str] = frozenset()


def read_comments(paths: Sequence[Path]) -> list[Comment]:
    records = (json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    comments = (comment for record in records for comment in _comments(record))
    return [comment for comment in comments if comment.reviewer != comment.author]


def _comments(record: Mapping[str, Any]) -> Iterator[Comment]:
    if "diff_hunk" in record:
        yield _comment(record, _REVIEWS)
        return
    opened = {"number": record["number"], "opened": record["created_at"], "by": record["author"]}
    commits = frozenset(str(commit["sha"]) for commit in record["commits"])
    for comment in record["comments"]:
        found = _comment({**comment, **opened}, _ARCHIVE)
        yield replace(found, parent=record["first_commit_parent"], commits=commits)


def _comment(entry: Mapping[str, Any], names: Sequence[str]) -> Comment:
    pull, opened, author, reviewer, commit, at, path, hunk = (str(entry[name]) for name in names)
    return Comment(
        pull=int(pull),
        opened=datetime.fromisoformat(opened),
        author=author,
        reviewer=reviewer,
        commit=commit,
        at=datetime.fromisoformat(at),
        path=path,
        line=find_added_line(hunk),
    )


def find_added_line(hunk: str) -> int | None:
    """The new-side number of a stored hunk's last line, on which the comment stands; None if that was not added."""
    header, *lines = hunk.split("\n")
    lines = [line for line in lines if not line.startswith("\\")]
    if not lines or not lines[-1].startswith("+"):
        return None
    start = int(header.split("+")[1].split()[0].split(",")[0])
    return start + sum(not line.startswith("-") for line in lines) - 1
