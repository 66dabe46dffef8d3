"""How long a dead process's work waits for a peer, as the database tells it."""

from sqlmodel import select

from app.store.database import open_engine, reading
from app.store.tables import ExecutorRow


def load_takeover_seconds(url: str, pid: int) -> float:
    """From a process's last sign of life to the moment a peer has its work; 0 while none has it."""
    database = open_engine(url)
    try:
        with reading(database) as session:
            row = session.exec(select(ExecutorRow).where(ExecutorRow.pid == pid)).one()
    finally:
        database.dispose()
    return 0.0 if row.ended_at is None else (row.ended_at - row.heartbeat_at).total_seconds()
