"""Reviews and their Findings."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.findings import Finding
from app.store.columns import utc_now
from app.store.rows import insert_all_if_absent, insert_if_absent
from app.store.tables import FindingRow, ReviewRow

#: Drafted under `review.mode: shadow`: its Findings are kept, and none is posted.
SHADOWED = "shadowed"
#: States in which nothing more will happen to a review.
FINISHED = frozenset({"posted", "silent", SHADOWED, "held_back", "skipped", "failed"})
#: Of these, the ones in which the head commit has its review: at most one, for ever.
REVIEWED = frozenset({"posted", "silent", SHADOWED, "held_back"})


def save_review(session: Session, row: ReviewRow) -> bool:
    """False if this head commit has its review already: at most one, for ever."""
    return insert_if_absent(session, row)


def restart_review(session: Session, row: ReviewRow, *, full: bool) -> None:
    """Let a review that failed or was skipped begin anew: what it had drafted, and not posted, goes."""
    drafted = sa.delete(FindingRow).where(col(FindingRow.review_id) == row.id, col(FindingRow.posted).is_(False))
    session.connection().execute(drafted)
    changes = {"state": "planned", "finished_at": None, "full": full}
    session.connection().execute(sa.update(ReviewRow).where(col(ReviewRow.id) == row.id).values(changes))


def load_review(session: Session, installation_id: int, review_id: str) -> ReviewRow | None:
    query = select(ReviewRow).where(ReviewRow.id == review_id, ReviewRow.installation_id == installation_id)
    return session.exec(query).one_or_none()


def select_reviews(
    session: Session, installation_id: int, *, repository: str | None = None, pull_request: int | None = None
) -> list[ReviewRow]:
    """Oldest first."""
    query = select(ReviewRow).where(ReviewRow.installation_id == installation_id)
    if repository is not None:
        query = query.where(ReviewRow.repository == repository)
    if pull_request is not None:
        query = query.where(ReviewRow.pull_request == pull_request)
    return list(session.exec(query.order_by(col(ReviewRow.created_at), col(ReviewRow.id))))


def save_review_state(
    session: Session,
    review_id: str,
    state: str,
    *,
    github_review_id: int | None = None,
    coverage: dict[str, Any] | None = None,
    adapter: str | None = None,
) -> None:
    """Move a review on. What is None keeps its value; a finished state also sets `finished_at`."""
    named = {"github_review_id": github_review_id, "coverage": coverage, "adapter": adapter}
    changes: dict[str, Any] = {"state": state} | {key: value for key, value in named.items() if value is not None}
    if state in FINISHED:
        changes["finished_at"] = utc_now()
    session.connection().execute(sa.update(ReviewRow).where(col(ReviewRow.id) == review_id).values(changes))


def save_findings(session: Session, review_id: str, findings: Iterable[Finding], *, posted: bool = False) -> int:
    """How many were new. Two findings with one fingerprint are one."""
    return insert_all_if_absent(session, (_finding_row(review_id, finding, posted) for finding in findings))


def _finding_row(review_id: str, finding: Finding, posted: bool) -> FindingRow:
    return FindingRow(
        review_id=review_id,
        fingerprint=finding.fingerprint,
        path=finding.path,
        line=finding.line,
        body=finding.body,
        severity=finding.severity,
        posted=posted,
        payload=finding.model_dump(mode="json"),
    )


def save_posted_comments(session: Session, review_id: str, comments: Mapping[str, int | None]) -> None:
    """Mark findings as posted: fingerprint → GitHub's comment id, None where it is not known."""
    for fingerprint, comment_id in comments.items():
        statement = sa.update(FindingRow).where(
            col(FindingRow.review_id) == review_id, col(FindingRow.fingerprint) == fingerprint
        )
        session.connection().execute(statement.values(posted=True, comment_id=comment_id))


def select_findings(session: Session, review_id: str) -> list[FindingRow]:
    query = select(FindingRow).where(FindingRow.review_id == review_id)
    return list(session.exec(query.order_by(col(FindingRow.path), col(FindingRow.line))))


def select_posted_findings(
    session: Session, installation_id: int, repository: str, pull_request: int
) -> list[FindingRow]:
    """Everything that was posted on this pull request, at whatever commit: it is not said twice. Oldest first."""
    query = (
        select(FindingRow)
        .join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        .where(
            ReviewRow.installation_id == installation_id,
            ReviewRow.repository == repository,
            ReviewRow.pull_request == pull_request,
            col(FindingRow.posted).is_(True),
        )
        .order_by(col(ReviewRow.created_at), col(ReviewRow.id), col(FindingRow.fingerprint))
    )
    return list(session.exec(query))


def save_coverage(session: Session, review_id: str, coverage: dict[str, Any]) -> None:
    session.connection().execute(sa.update(ReviewRow).where(col(ReviewRow.id) == review_id).values(coverage=coverage))
