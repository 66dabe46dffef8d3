"""The job engine's tables where no engine runs: made in another database, and handed over with what was under way."""

from datetime import UTC, datetime

import sqlalchemy as sa
from dbos import DBOS, SQLAlchemyDatasource
from dbos import _migration as dbos_migration
from sqlmodel import Session

from app.store.database import parse_database_url
from app.store.rows import upsert
from app.store.tables import ExecutorRow

#: Where the job engine keeps its tables on PostgreSQL; on SQLite they lie among ours.
JOURNAL_SCHEMA = "dbos"
#: What tells the form of its tables, and is made with them.
JOURNAL_VERSIONS = ("dbos_migrations", "dbos_datasource_migrations")


def prepare_journal(database_url: str) -> None:
    """Make the job engine's tables in a PostgreSQL database, or bring them to today's form; nothing runs."""
    url = parse_database_url(database_url).render_as_string(hide_password=False)
    DBOS.migrate(url, schema=JOURNAL_SCHEMA)
    SQLAlchemyDatasource.migrate(url, schema=JOURNAL_SCHEMA)


def journal_version(*, sqlite: bool) -> int:
    """The newest form of the job engine's tables that this code knows; each kind of database counts for itself."""
    known = dbos_migration.sqlite_migrations if sqlite else dbos_migration.get_dbos_migrations(JOURNAL_SCHEMA, True)
    return len(known)


def hand_over(session: Session, *, schema: str | None) -> int:
    """Let the first service that starts here take over what processes elsewhere had under way; returns how many
    workflows that are.

    On SQLite the one process goes by the same name for ever. Elsewhere it is a peer's: one that fell silent long ago.
    """
    columns = (sa.column("executor_id", sa.String), sa.column("status", sa.String))
    status = sa.table("workflow_status", *columns, schema=schema)
    owners = sa.select(status.c.executor_id, sa.func.count()).where(status.c.status == "PENDING")
    rows = session.connection().execute(owners.group_by(status.c.executor_id)).all()
    for owner, _ in rows:
        long_ago = datetime(1970, 1, 1, tzinfo=UTC)
        upsert(session, ExecutorRow(id=str(owner), host="elsewhere", pid=0, heartbeat_at=long_ago))
    return sum(int(count) for _, count in rows)
