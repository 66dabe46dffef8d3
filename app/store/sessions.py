"""Who is signed in to the dashboard. Secrets never come here: rows are named by their hashes."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.store.columns import utc_now
from app.store.web_tables import SessionRow, SignInRow


def save_session(session: Session, row: SessionRow) -> None:
    session.add(row)


def load_session(session: Session, key: str) -> SessionRow | None:
    """None for one that is unknown, ended or expired."""
    query = select(SessionRow).where(SessionRow.key == key, col(SessionRow.expires_at) > utc_now())
    return session.exec(query).one_or_none()


def delete_session(session: Session, key: str) -> None:
    session.connection().execute(sa.delete(SessionRow).where(col(SessionRow.key) == key))


def save_used_sign_in(session: Session, row: SignInRow) -> None:
    """Raises:
    IntegrityError: when it was used before.
    """
    session.add(row)
    session.flush()


def is_sign_in_used(session: Session, key: str) -> bool:
    return session.get(SignInRow, key) is not None


def delete_expired(session: Session, now: datetime) -> int:
    """Sessions, and used sign-ins that could not be used anew either; how many."""
    statements = (sa.delete(table).where(col(table.expires_at) <= now) for table in (SessionRow, SignInRow))
    return sum(session.connection().execute(statement).rowcount for statement in statements)
