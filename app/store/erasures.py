"""What was asked to be forgotten."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.erasure import ErasureKind, Forgotten, subject_key
from app.domain.tombstones import Tombstone
from app.store.columns import utc_now
from app.store.rows import insert_if_absent
from app.store.tables import ErasureRow


def save_erasure(session: Session, row: ErasureRow) -> bool:
    return insert_if_absent(session, row)


def load_erasure(session: Session, erasure_id: str) -> ErasureRow | None:
    return session.get(ErasureRow, erasure_id)


def load_forgotten(session: Session, installation_id: int) -> Forgotten:
    """Keys of everything that was erased here and was not allowed again."""
    query = select(ErasureRow.subject_key).where(
        ErasureRow.installation_id == installation_id, col(ErasureRow.lifted_at).is_(None)
    )
    return Forgotten(keys=frozenset(session.exec(query)))


def lift_removal(session: Session, installation_id: int, repository: str) -> None:
    """A repository that was taken from the App and given back may be learned from again; one that a person had erased
    may not."""
    statement = sa.update(ErasureRow).where(
        col(ErasureRow.installation_id) == installation_id,
        col(ErasureRow.subject_key) == subject_key(ErasureKind.REPOSITORY, repository),
        col(ErasureRow.reason) == "removed",
        col(ErasureRow.finished_at).is_not(None),
    )
    session.connection().execute(statement.values(lifted_at=utc_now()))


def save_erased(session: Session, erasure_id: str, report: dict[str, Any], *, lifted: bool = False) -> None:
    """Done: the subject is no longer said in clear. `lifted` when there was nothing to do after all."""
    now = utc_now()
    changes = {"subject": "", "finished_at": now, "report": report} | ({"lifted_at": now} if lifted else {})
    session.connection().execute(sa.update(ErasureRow).where(col(ErasureRow.id) == erasure_id).values(changes))


def select_erasures(session: Session) -> list[ErasureRow]:
    """Newest first, across tenants: for the operator only."""
    return list(session.exec(select(ErasureRow).order_by(col(ErasureRow.requested_at).desc()).limit(20)))


def select_tombstones(session: Session) -> list[Tombstone]:
    """Every erasure of every tenant, oldest first, without names: for the operator only."""
    rows = session.exec(select(ErasureRow).order_by(col(ErasureRow.requested_at), col(ErasureRow.id)))
    return [
        Tombstone.model_validate(
            {name: getattr(row, name) for name in Tombstone.model_fields if name != "kind"}
            | {"kind": ErasureKind(row.kind)}
        )
        for row in rows
    ]


def save_tombstone(session: Session, tombstone: Tombstone) -> bool:
    """Remember what was erased elsewhere; True if it was not known here."""
    values = tombstone.model_dump() | {"kind": tombstone.kind.value, "subject": "", "report": {}}
    finished = tombstone.finished_at or tombstone.requested_at
    return insert_if_absent(session, ErasureRow(**(values | {"finished_at": finished})))
