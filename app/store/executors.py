"""Signs of life of the processes that run workflows, and the progress of what they run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.store.columns import utc_now
from app.store.rows import upsert
from app.store.tables import ExecutorRow, ProgressRow


def _database_now(session: Session) -> datetime:
    # Hosts disagree about the time; one clock decides who is late. A SQLite file has one host.
    if session.get_bind().dialect.name == "sqlite":
        return utc_now()
    moment: datetime = session.connection().execute(sa.text("select clock_timestamp()")).scalar_one()
    return moment


def save_heartbeat(session: Session, executor_id: str, host: str, pid: int) -> None:
    """Say that this process lives. One that a peer gave up comes back with this."""
    row = ExecutorRow(id=executor_id, host=host, pid=pid, heartbeat_at=_database_now(session))
    upsert(session, row, keep=frozenset({"started_at"}))
    session.connection().execute(sa.update(ExecutorRow).where(col(ExecutorRow.id) == executor_id).values(ended_at=None))


def save_end(session: Session, executor_id: str) -> None:
    """The work of the process was taken over."""
    statement = sa.update(ExecutorRow).where(col(ExecutorRow.id) == executor_id)
    session.connection().execute(statement.values(ended_at=utc_now()))


def save_departure(session: Session, executor_id: str) -> None:
    """The process leaves in order: peers need not wait to take over what it leaves unfinished."""
    statement = sa.update(ExecutorRow).where(col(ExecutorRow.id) == executor_id)
    session.connection().execute(statement.values(heartbeat_at=datetime(1970, 1, 1, tzinfo=UTC)))


def select_dead(session: Session, timeout_seconds: float) -> list[str]:
    """Executors silent for longer than the timeout whose work nobody took over yet."""
    limit = _database_now(session) - timedelta(seconds=timeout_seconds)
    query = select(ExecutorRow.id).where(col(ExecutorRow.ended_at).is_(None), col(ExecutorRow.heartbeat_at) < limit)
    return list(session.exec(query.order_by(col(ExecutorRow.id))))


def delete_ended(session: Session, before: datetime) -> int:
    statement = sa.delete(ExecutorRow).where(col(ExecutorRow.ended_at) < before)
    return session.connection().execute(statement).rowcount


def save_progress(session: Session, workflow_id: str, figures: dict[str, Any]) -> None:
    upsert(session, ProgressRow(workflow_id=workflow_id, figures=figures))


def load_progress(session: Session, workflow_id: str) -> dict[str, Any] | None:
    row = session.get(ProgressRow, workflow_id)
    return None if row is None else row.figures


def delete_progress(session: Session, workflow_ids: list[str]) -> None:
    statement = sa.delete(ProgressRow).where(col(ProgressRow.workflow_id).in_(workflow_ids))
    session.connection().execute(statement)
