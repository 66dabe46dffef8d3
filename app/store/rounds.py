"""What learning rounds made of an installation: snapshots, training runs, adapters, and which of them reviews."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.adapters import AdapterState
from app.store.columns import utc_now
from app.store.rows import insert_if_absent, upsert
from app.store.tables import (
    AdapterPointerRow,
    AdapterVersionRow,
    SnapshotRow,
    TrainingRunRow,
)


def save_snapshot(session: Session, row: SnapshotRow) -> bool:
    return insert_if_absent(session, row)


def save_training_run(session: Session, row: TrainingRunRow) -> None:
    """Insert, or overwrite all but the moment it started."""
    upsert(session, row, keep=frozenset({"started_at"}))


def select_training_runs(session: Session, installation_id: int) -> list[TrainingRunRow]:
    """Newest first."""
    query = select(TrainingRunRow).where(TrainingRunRow.installation_id == installation_id)
    return list(session.exec(query.order_by(col(TrainingRunRow.started_at).desc())))


def save_adapter_version(session: Session, row: AdapterVersionRow) -> bool:
    return insert_if_absent(session, row)


def load_adapter_version(session: Session, installation_id: int, name: str) -> AdapterVersionRow | None:
    query = select(AdapterVersionRow).where(
        AdapterVersionRow.name == name, AdapterVersionRow.installation_id == installation_id
    )
    return session.exec(query).one_or_none()


def select_adapter_versions(session: Session, installation_id: int) -> list[AdapterVersionRow]:
    """Newest first."""
    query = select(AdapterVersionRow).where(AdapterVersionRow.installation_id == installation_id)
    return list(session.exec(query.order_by(col(AdapterVersionRow.created_at).desc())))


def select_registry(session: Session) -> tuple[list[AdapterPointerRow], list[AdapterVersionRow]]:
    """Every pointer and every version, across tenants: only to keep the servers equal to them."""
    return list(session.exec(select(AdapterPointerRow))), list(session.exec(select(AdapterVersionRow)))


def save_adapter_state(
    session: Session, installation_id: int, name: str, state: AdapterState, decision: dict[str, Any] | None = None
) -> None:
    """Move an AdapterVersion to another state, and record the GateDecision that moved it when there is one."""
    changes: dict[str, Any] = {"state": state.value} | ({} if decision is None else {"decision": decision})
    statement = sa.update(AdapterVersionRow).where(
        col(AdapterVersionRow.name) == name, col(AdapterVersionRow.installation_id) == installation_id
    )
    session.connection().execute(statement.values(changes))


def load_pointer(session: Session, installation_id: int) -> AdapterPointerRow | None:
    return session.get(AdapterPointerRow, installation_id)


def move_pointer(session: Session, installation_id: int, adapter_name: str | None) -> AdapterPointerRow:
    """Let this AdapterVersion (or none) review from now on. Moving to where it points already changes nothing."""
    row = load_pointer(session, installation_id) or AdapterPointerRow(installation_id=installation_id)
    if row.adapter_name != adapter_name:
        row.previous, row.adapter_name, row.moved_at = row.adapter_name, adapter_name, utc_now()
    session.add(row)
    session.flush()
    return row


def load_newest_snapshot(session: Session, installation_id: int) -> SnapshotRow | None:
    query = select(SnapshotRow).where(SnapshotRow.installation_id == installation_id)
    return session.exec(query.order_by(col(SnapshotRow.created_at).desc())).first()


def select_outdated_runs(session: Session, before: datetime) -> list[TrainingRunRow]:
    """Runs that ended before the moment and made no version that serves, may be gone back to, or was promoted; across
    tenants, for upkeep only."""
    pointed = sa.union(
        sa.select(col(AdapterPointerRow.adapter_name)).where(col(AdapterPointerRow.adapter_name).is_not(None)),
        sa.select(col(AdapterPointerRow.previous)).where(col(AdapterPointerRow.previous).is_not(None)),
    )
    promoted = col(AdapterVersionRow.state) == AdapterState.PROMOTED.value
    standing = sa.select(col(AdapterVersionRow.snapshot_id)).where(
        sa.or_(promoted, col(AdapterVersionRow.name).in_(pointed))
    )
    ended = select(TrainingRunRow).where(col(TrainingRunRow.ended_at) < before)
    return list(session.exec(ended.where(col(TrainingRunRow.snapshot_id).not_in(standing))))
