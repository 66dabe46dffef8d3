"""Says a whole review thread on the stand-in GitHub."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from app.domain.diff import Side
from app.rehearsal.standin import StandIn


class Spot(NamedTuple):
    """Where a thread stands. A recorded one brings its `diff_hunk`, for its commit may be gone."""

    repository: str
    number: int
    path: str
    line: int
    commit_sha: str
    side: Side = "RIGHT"
    diff_hunk: str | None = None


class Said(NamedTuple):
    """`comment_id` is None where GitHub may number it."""

    author: str
    body: str
    at: datetime
    comment_id: int | None = None


def say_thread(standin: StandIn, spot: Spot, first: Said, replies: Iterable[Said]) -> None:
    """The first comment, then what was answered."""
    root: int | None = None
    for said in (first, *replies):
        made = standin.comment(
            spot.repository,
            spot.number,
            author=said.author,
            path=spot.path,
            line=spot.line,
            side=spot.side,
            body=said.body,
            commit_sha=spot.commit_sha,
            created_at=said.at,
            comment_id=said.comment_id,
            in_reply_to=root,
            diff_hunk=spot.diff_hunk,
        )
        root = root or made
