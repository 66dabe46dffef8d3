"""Deliveries and installations: what GitHub told us, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.store.columns import utc_now
from app.store.rows import insert_values, upsert
from app.store.tables import DeliveryRow, InstallationRow


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What a DeliveryRow begins with. An object of the table's class would take intake as long to make as all else that
    it decides."""

    guid: str
    event: str
    action: str | None
    installation_id: int | None
    body: bytes
    headers: dict[str, str]
    received_at: datetime
    handled_at: datetime | None
    outcome: str | None


_COLUMNS = tuple(one.name for one in fields(NewDelivery))


def save_deliveries(session: Session, deliveries: Iterable[NewDelivery | DeliveryRow]) -> set[str]:
    """The GUIDs that were new, whichever of two equal ones was first; of the others nothing changed."""
    values = [{name: getattr(one, name) for name in _COLUMNS} for one in deliveries]
    return {str(key[0]) for key in insert_values(session, DeliveryRow, values)} if values else set()


def select_waiting(session: Session, limit: int) -> list[DeliveryRow]:
    """Deliveries that nobody handled yet, in the order they came. On PostgreSQL they are this transaction's alone, and
    what another one has is passed over; on SQLite there is one writer at a time anyway."""
    query = select(DeliveryRow).where(col(DeliveryRow.outcome).is_(None))
    query = query.order_by(col(DeliveryRow.received_at), col(DeliveryRow.guid)).limit(limit)
    return list(session.exec(query.with_for_update(skip_locked=True)))


def is_any_waiting(session: Session) -> bool:
    return session.exec(select(DeliveryRow.guid).where(col(DeliveryRow.outcome).is_(None)).limit(1)).first() is not None


def load_delivery(session: Session, guid: str) -> DeliveryRow | None:
    return session.get(DeliveryRow, guid)


def save_outcome(session: Session, guid: str, outcome: str) -> None:
    """Record what became of a delivery; `outcome` is a stable word, or `word: detail`."""
    statement = sa.update(DeliveryRow).where(col(DeliveryRow.guid) == guid)
    session.connection().execute(statement.values(outcome=outcome, handled_at=utc_now()))


def select_known_guids(session: Session, guids: Iterable[str]) -> set[str]:
    """Which of these GUIDs are stored. For redelivery of what was missed."""
    return set(session.exec(select(DeliveryRow.guid).where(col(DeliveryRow.guid).in_(list(guids)))))


def count_outcomes(session: Session, installation_id: int | None = None) -> dict[str, int]:
    """Deliveries by the outcome's first word, in its order, of one installation or of all; those not handled yet count
    as `waiting`."""
    query = select(DeliveryRow.outcome, sa.func.count()).group_by(col(DeliveryRow.outcome))
    if installation_id is not None:
        query = query.where(DeliveryRow.installation_id == installation_id)
    counts: dict[str, int] = {}
    for outcome, number in session.exec(query):
        word = (outcome or "waiting").split(":")[0]
        counts[word] = counts.get(word, 0) + number
    return dict(sorted(counts.items()))


def measure_waiting(session: Session) -> tuple[int, datetime | None]:
    """How many deliveries are not handled yet, and when the oldest of them came."""
    query = select(sa.func.count(), sa.func.min(DeliveryRow.received_at)).where(col(DeliveryRow.handled_at).is_(None))
    count, oldest = session.exec(query).one()
    return int(count), oldest


def erase_bodies(session: Session, before: datetime) -> int:
    """Forget what handled deliveries said, but not that they came: the GUID must stay to refuse a duplicate."""
    statement = sa.update(DeliveryRow).where(col(DeliveryRow.handled_at) < before, sa.func.length(DeliveryRow.body) > 0)
    return session.connection().execute(statement.values(body=b"")).rowcount


def delete_deliveries(session: Session, before: datetime) -> int:
    """Forget that handled deliveries came; GitHub sends none so old again."""
    statement = sa.delete(DeliveryRow).where(col(DeliveryRow.handled_at) < before)
    return session.connection().execute(statement).rowcount


def save_installation(session: Session, row: InstallationRow) -> None:
    upsert(session, row)


def load_installation(session: Session, installation_id: int) -> InstallationRow | None:
    return session.get(InstallationRow, installation_id)


def select_installations(session: Session, state: str = "active") -> list[InstallationRow]:
    query = select(InstallationRow).where(InstallationRow.state == state).order_by(col(InstallationRow.id))
    return list(session.exec(query))


def count_rows(session: Session, row: type[Any]) -> int:
    """All rows of a table, across tenants: for the operator only."""
    return session.exec(select(sa.func.count()).select_from(row)).one()
