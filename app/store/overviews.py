"""What pages show of one installation: narrow queries, within the repositories that their reader may see."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.store.feedback import HELD_BACK
from app.store.reviews import SHADOWED
from app.store.tables import (
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    ErasureRow,
    ExampleRow,
    FeedbackRow,
    FindingRow,
    ReviewRow,
    TrainingRunRow,
)

Repositories = Collection[str] | None


def _seen(column: Any, repositories: Repositories) -> tuple[sa.ColumnElement[bool], ...]:  # noqa: ANN401  of any table
    return () if repositories is None else (col(column).in_(sorted(repositories)),)


def select_coverages(
    session: Session, installation_id: int, repositories: Repositories, *, limit: int
) -> list[dict[str, Any]]:
    """Of the newest reviews that were finished."""
    query = sa.select(col(ReviewRow.coverage)).where(
        col(ReviewRow.installation_id) == installation_id,
        col(ReviewRow.finished_at).is_not(None),
        *_seen(ReviewRow.repository, repositories),
    )
    newest = query.order_by(col(ReviewRow.created_at).desc()).limit(limit)
    return list(session.connection().execute(newest).scalars())


def count_review_states(session: Session, installation_id: int, repositories: Repositories) -> dict[str, int]:
    query = sa.select(col(ReviewRow.state), sa.func.count()).where(
        col(ReviewRow.installation_id) == installation_id, *_seen(ReviewRow.repository, repositories)
    )
    rows = session.connection().execute(query.group_by(col(ReviewRow.state)))
    return {str(state): int(number) for state, number in rows}


def load_example(session: Session, installation_id: int, example_hash: str) -> ExampleRow | None:
    return session.get(ExampleRow, (example_hash, installation_id))


def select_decisions(session: Session, installation_id: int, example_hash: str) -> list[ApprovalRow]:
    """Every decision about one content, the newest first."""
    query = select(ApprovalRow).where(
        ApprovalRow.installation_id == installation_id, ApprovalRow.example_hash == example_hash
    )
    return list(session.exec(query.order_by(col(ApprovalRow.id).desc())))


class WrittenComment(NamedTuple):
    """`verdict`: what became of it, None while nothing is known and for what was not posted."""

    fingerprint: str
    repository: str
    pull_request: int
    path: str
    line: int
    body: str
    severity: str
    adapter: str | None
    comment_id: int | None
    created_at: datetime
    verdict: str | None


def select_comments(
    session: Session, installation_id: int, repositories: Repositories, *, limit: int, before: datetime | None
) -> list[WrittenComment]:
    """What was posted, the newest first; `before` a moment, when one is given."""
    return _select_written(
        session, installation_id, repositories, col(FindingRow.posted).is_(True), limit=limit, before=before
    )


def select_kept(
    session: Session, installation_id: int, repositories: Repositories, *, limit: int, before: datetime | None
) -> list[WrittenComment]:
    """What shadow mode kept and did not post, as `select_comments`; each comment once, with its newest review.

    A comment that a later head's review posted is not among them. Nothing of a pull request that is in the control
    group: who is told what it did not get is no control.
    """
    later, told, held = aliased(ReviewRow), aliased(FindingRow), aliased(ReviewRow)
    is_said_later = sa.exists().where(
        *_of_same_pull(later),
        col(later.created_at) > col(ReviewRow.created_at),
        col(told.review_id) == col(later.id),
        col(told.fingerprint) == col(FindingRow.fingerprint),
    )
    is_control = sa.exists().where(*_of_same_pull(held), col(held.state) == HELD_BACK)
    is_kept = sa.and_(col(ReviewRow.state) == SHADOWED, col(FindingRow.posted).is_(False), ~is_said_later, ~is_control)
    return _select_written(session, installation_id, repositories, is_kept, limit=limit, before=before)


def _of_same_pull(other: type[ReviewRow]) -> tuple[sa.ColumnElement[bool], ...]:
    names = ("installation_id", "repository", "pull_request")
    return tuple(col(getattr(other, name)) == col(getattr(ReviewRow, name)) for name in names)


def _select_written(
    session: Session,
    installation_id: int,
    repositories: Repositories,
    which: sa.ColumnElement[bool],
    *,
    limit: int,
    before: datetime | None,
) -> list[WrittenComment]:
    query = (
        sa.select(
            col(FindingRow.fingerprint),
            col(ReviewRow.repository),
            col(ReviewRow.pull_request),
            col(FindingRow.path),
            col(FindingRow.line),
            col(FindingRow.body),
            col(FindingRow.severity),
            col(ReviewRow.adapter),
            col(FindingRow.comment_id),
            col(ReviewRow.created_at),
            col(FeedbackRow.verdict),
        )
        .join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        .outerjoin(
            FeedbackRow,
            sa.and_(
                col(FeedbackRow.review_id) == col(FindingRow.review_id),
                col(FeedbackRow.fingerprint) == col(FindingRow.fingerprint),
            ),
        )
        .where(
            col(ReviewRow.installation_id) == installation_id,
            which,
            *_seen(ReviewRow.repository, repositories),
        )
    )
    if before is not None:
        query = query.where(col(ReviewRow.created_at) < before)
    newest = (col(ReviewRow.created_at).desc(), col(FindingRow.fingerprint))
    return [WrittenComment(*row) for row in session.connection().execute(query.order_by(*newest).limit(limit))]


def load_finding(session: Session, installation_id: int, fingerprint: str) -> tuple[FindingRow, ReviewRow] | None:
    """Where it was posted, else the last review that drafted it."""
    query = (
        select(FindingRow, ReviewRow)
        .join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        .where(ReviewRow.installation_id == installation_id, FindingRow.fingerprint == fingerprint)
        .order_by(col(FindingRow.posted).desc(), col(ReviewRow.created_at).desc())
    )
    return session.exec(query).first()


def load_training_run(session: Session, installation_id: int, run_id: str) -> TrainingRunRow | None:
    query = select(TrainingRunRow).where(TrainingRunRow.id == run_id, TrainingRunRow.installation_id == installation_id)
    return session.exec(query).one_or_none()


def select_runs_over(session: Session, installation_id: int, snapshot_id: str) -> list[TrainingRunRow]:
    """Newest first."""
    query = select(TrainingRunRow).where(
        TrainingRunRow.installation_id == installation_id, TrainingRunRow.snapshot_id == snapshot_id
    )
    return list(session.exec(query.order_by(col(TrainingRunRow.started_at).desc())))


class Delivered(NamedTuple):
    guid: str
    event: str
    action: str | None
    received_at: datetime
    outcome: str | None


def select_deliveries(session: Session, installation_id: int, *, limit: int) -> list[Delivered]:
    """The newest, without what they said."""
    columns = (col(getattr(DeliveryRow, name)) for name in Delivered._fields)
    query = sa.select(*columns).where(col(DeliveryRow.installation_id) == installation_id)
    newest = query.order_by(col(DeliveryRow.received_at).desc()).limit(limit)
    return [Delivered(*row) for row in session.connection().execute(newest)]


def select_erasures_of(session: Session, installation_id: int) -> list[ErasureRow]:
    query = select(ErasureRow).where(ErasureRow.installation_id == installation_id)
    return list(session.exec(query.order_by(col(ErasureRow.requested_at).desc()).limit(20)))


def select_adapter_acts(session: Session, names: Collection[str]) -> list[AuditRow]:
    """What the gate and people did to adapters, the newest first."""
    query = select(AuditRow).where(col(AuditRow.subject).in_(sorted(names)))
    return list(session.exec(query.order_by(col(AuditRow.id).desc()).limit(20)))
