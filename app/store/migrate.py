"""Bring the tables to the form this version needs. Runs at every boot; one process at a time, the others wait."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DatabaseError, OperationalError

from app.domain.errors import UserError
from app.store.database import name_cause, open_engine

#: Any number that nobody else uses as an advisory lock in the same PostgreSQL database.
_LOCK = 8_261_553_902_417


def alembic_config(connection: sa.Connection) -> Config:
    """Alembic's configuration on an open connection; there is no ini file, nothing is left to the working folder."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(database_url: str) -> None:
    """Apply what is missing, in one transaction.

    Raises:
        UserError: when the database cannot be reached, or was written by a newer Understudy.
    """
    engine = open_engine(database_url)
    try:
        with engine.begin() as connection:
            hold_boots(connection)
            config = alembic_config(connection)
            refuse_newer(connection)
            command.upgrade(config, "head")
    except DatabaseError as error:
        if not _cannot_be_used(error):
            raise
        where = engine.url.render_as_string(hide_password=True)
        raise UserError(
            f"expected to open the database {where}, got: {name_cause(error)}; see that it is one and answers, or name "
            "another in UNDERSTUDY_DATABASE_URL"
        ) from error
    finally:
        engine.dispose()


def _cannot_be_used(error: DatabaseError) -> bool:
    """As such, that is: what else a migration stumbles over is a mistake of ours."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(error, OperationalError) or code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def hold_boots(connection: sa.Connection) -> None:
    """Until the transaction ends, no process migrates here, and so none boots."""
    # On SQLite the transaction itself is the lock: it begins IMMEDIATE.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def upgrade_to(connection: sa.Connection, revision: str) -> None:
    """In the connection's transaction; `head` is the schema of this code."""
    command.upgrade(alembic_config(connection), revision)


def head_version() -> str:
    """The schema version of this code."""
    return str(ScriptDirectory(str(Path(__file__).parent / "migrations")).get_current_head())


def is_known_version(version: str) -> bool:
    """Whether this code can bring a database of that schema version to its own."""
    known = ScriptDirectory(str(Path(__file__).parent / "migrations")).walk_revisions()
    return version in {script.revision for script in known}


def refuse_newer(connection: sa.Connection) -> None:
    """Raises:
    UserError: when a newer Understudy wrote this database.
    """
    if not sa.inspect(connection).has_table("us_schema_version"):
        return
    current = connection.execute(sa.text("select version_num from us_schema_version")).scalar()
    if current is None:
        return
    try:
        ScriptDirectory.from_config(alembic_config(connection)).get_revision(current)
    except CommandError as error:
        raise UserError(
            f"expected a database of this Understudy or an older one, got schema version {current!r} that it does not "
            "know; start the newer Understudy that wrote it, or restore the backup made before the upgrade"
        ) from error
