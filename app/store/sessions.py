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


def save_sign_in(session: Session, row: SignInRow) -> None:
    session.add(row)


def take_sign_in(session: Session, key: str) -> str | None:
    """The verifier of a sign-in that waits, which then waits no more; None when it is unknown, taken or too old."""
    taken = sa.delete(SignInRow).where(col(SignInRow.key) == key, col(SignInRow.expires_at) > utc_now())
    found: str | None = session.connection().execute(taken.returning(col(SignInRow.verifier))).scalar_one_or_none()
    return found


def delete_expired(session: Session, now: datetime) -> int:
    """Sessions and sign-ins that nobody can use any more; how many."""
    statements = (sa.delete(table).where(col(table.expires_at) <= now) for table in (SessionRow, SignInRow))
    return sum(session.connection().execute(statement).rowcount for statement in statements)
