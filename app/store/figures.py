"""What the tables hold, counted for those who watch: over all tenants, without a name of anybody."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.store.columns import UtcDateTime
from app.store.tables import (
    AdapterPointerRow,
    AdapterVersionRow,
    DeliveryRow,
    ExecutorRow,
    FeedbackRow,
    InstallationRow,
    ProgressRow,
    RepositoryRow,
    ReviewRow,
)

#: Adapters other than those in use and the ones before them are told together: their number grows.
OLDER = "older"


@dataclass(frozen=True)
class Backfill:
    """Merged pull requests of an installation: how many there are and how many were listed so far."""

    total: int
    listed: int


def count_reviews(session: Session) -> dict[str, int]:
    """By state."""
    return dict(session.exec(select(ReviewRow.state, sa.func.count()).group_by(col(ReviewRow.state))).all())


def count_adapters(session: Session) -> dict[str, int]:
    """By state in the registry."""
    query = select(AdapterVersionRow.state, sa.func.count()).group_by(col(AdapterVersionRow.state))
    return dict(session.exec(query).all())


def count_verdicts(session: Session) -> dict[tuple[int, str, str], int]:
    """What became of posted comments, by installation, adapter and verdict."""
    pointers = session.exec(select(AdapterPointerRow)).all()
    named = {name for row in pointers for name in (row.adapter_name, row.previous) if name}
    group = (col(FeedbackRow.installation_id), col(ReviewRow.adapter), col(FeedbackRow.verdict))
    query = (
        select(*group, sa.func.count())
        .join(ReviewRow, col(ReviewRow.id) == col(FeedbackRow.review_id))
        .where(col(FeedbackRow.held_back).is_(False))
        .group_by(*group)
    )
    counts: dict[tuple[int, str, str], int] = {}
    for installation, adapter, verdict, number in session.exec(query):
        key = (installation, adapter if adapter in named else OLDER, verdict)
        counts[key] = counts.get(key, 0) + number
    return counts


def sum_backfills(session: Session) -> dict[int, Backfill]:
    """By installation, of repositories that have one."""
    query = (
        select(RepositoryRow.installation_id, sa.func.sum(RepositoryRow.total), sa.func.sum(RepositoryRow.listed))
        .where(col(RepositoryRow.backfill).is_not(None))
        .group_by(col(RepositoryRow.installation_id))
    )
    return {row[0]: Backfill(int(row[1]), int(row[2])) for row in session.exec(query)}


def load_sweeps(session: Session) -> tuple[datetime | None, datetime | None]:
    """Of repositories in active installations: when the newest was swept, and the one that waits for longest, whose
    watch began then where it never was."""
    swept = sa.func.coalesce(RepositoryRow.swept_at, RepositoryRow.watched_since, type_=UtcDateTime())
    query = (
        select(sa.func.max(RepositoryRow.swept_at), sa.func.min(swept))
        .join(InstallationRow, col(InstallationRow.id) == col(RepositoryRow.installation_id))
        .where(col(InstallationRow.state) == "active")
    )
    newest, oldest = session.exec(query).one()
    return newest, oldest


def load_oldest_waiting(session: Session) -> datetime | None:
    """When the delivery came that nobody handled for longest; None where none waits."""
    query = select(sa.func.min(DeliveryRow.received_at)).where(col(DeliveryRow.outcome).is_(None))
    return session.exec(query).one()


def count_processes(session: Session, after: datetime) -> int:
    """Processes that gave a sign of life since; on SQLite none does."""
    query = select(sa.func.count()).select_from(ExecutorRow)
    return session.exec(query.where(col(ExecutorRow.heartbeat_at) > after, col(ExecutorRow.ended_at).is_(None))).one()


def load_figures(session: Session, workflow_ids: list[str]) -> dict[str, dict[str, object]]:
    """Progress by workflow id."""
    rows = session.exec(select(ProgressRow).where(col(ProgressRow.workflow_id).in_(workflow_ids)))
    return {row.workflow_id: row.figures for row in rows}


def measure_database(session: Session) -> int:
    """Bytes of the database, of SQLite with its log."""
    bind = session.get_bind()
    if bind.dialect.name == "sqlite":
        file = str(bind.engine.url.database)
        found = (Path(file), Path(f"{file}-wal"))
        return sum(path.stat().st_size for path in found if path.exists())
    size: int = session.connection().execute(sa.text("select pg_database_size(current_database())")).scalar_one()
    return size
