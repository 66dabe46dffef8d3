"""Posting exactly once, as a pure decision over what GitHub already shows.

GitHub has no idempotency key for reviews, but it allows one pending review per user and pull request: a natural mutex.
So a review is created pending, its id is checkpointed, and only then is it submitted.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from app.domain.base import Record
from app.domain.findings import Finding
from app.review.following import remove_mark
from app.review.messages import render_comment, render_marker


class OwnReview(Record):
    """One of the App's own reviews as GitHub lists it."""

    review_id: int
    state: str
    body: str
    commit_sha: str


class PostingStep(Record):
    """`done`: it stands already · `submit`: a pending one is ours · `discard`: a stale pending one is in the way."""

    act: Literal["done", "submit", "discard", "create"]
    review_id: int | None = None


def decide_posting(own_reviews: tuple[OwnReview, ...], head_sha: str) -> PostingStep:
    """The next act that leads to one submitted review for this head and no pending one."""
    marker = render_marker(head_sha)
    pending = next((review for review in own_reviews if review.state == "PENDING"), None)
    submitted = next((review for review in own_reviews if review.state != "PENDING" and marker in review.body), None)
    if pending is not None and (submitted is not None or marker not in pending.body):
        return PostingStep(act="discard", review_id=pending.review_id)
    if submitted is not None:
        return PostingStep(act="done", review_id=submitted.review_id)
    if pending is not None:
        return PostingStep(act="submit", review_id=pending.review_id)
    return PostingStep(act="create")


def match_comments(findings: Iterable[Finding], comments: Iterable[Mapping[str, Any]]) -> dict[str, int | None]:
    """Fingerprint → GitHub's comment id, by place and words.

    GitHub shows where a comment was made as `original_…`, and where it stands now without, or nothing once it is
    outdated. A review that is taken up again late may find its comments marked.
    """
    ids = {
        (item["path"], _where(item, "start_line"), _where(item, "line"), remove_mark(item["body"])): item["id"]
        for item in comments
    }
    return {one.fingerprint: ids.get((one.path, one.start_line, one.line, render_comment(one))) for one in findings}


def _where(item: Mapping[str, Any], key: str) -> int | None:
    return item.get(key) or item.get(f"original_{key}")
