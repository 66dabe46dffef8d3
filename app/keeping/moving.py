"""From a SQLite file to PostgreSQL, with the work that is under way."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.domain.base import Record
from app.domain.errors import UserError
from app.store.copying import Tell, copy_tables, open_source, reflect_tables, refuse_filled
from app.store.database import open_engine, parse_database_url
from app.store.migrate import head_version, hold_boots, migrate
from app.workflows.engine import JOURNAL_SCHEMA, JOURNAL_VERSIONS, hand_over, prepare_journal
from app.workflows.locks import FileLock

#: What a database says of its own form, which the other one says for itself.
FORMS = frozenset({"us_schema_version", *JOURNAL_VERSIONS})


class Moved(Record):
    """`under_way` of the workflows were begun and not ended; the first service on PostgreSQL goes on with them."""

    tables: int
    rows: int
    under_way: int


def move(from_url: str, to_url: str, tell: Tell) -> Moved:
    """Copy everything, all or nothing. The SQLite file stays as it is.

    Raises:
        UserError: while a service works on the file, when the target holds rows already, or when the two sides differ.
    """
    path = _sqlite_path(from_url)
    backend = parse_database_url(to_url, named="--to").get_backend_name()
    if backend != "postgresql":
        raise UserError(
            f"expected a PostgreSQL database (postgresql://…) to move to, got {backend}; name one with --to"
        )
    with closing(open_source(path)) as source:
        lock = FileLock(Path(f"{path}.lock"))
        try:
            _check_version(source, path)
            migrate(to_url)
            prepare_journal(to_url)
            return _move(source, to_url, tell)
        finally:
            lock.release()


def _sqlite_path(url: str) -> Path:
    parsed = parse_database_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise UserError("expected UNDERSTUDY_DATABASE_URL to name the SQLite file to move from, got PostgreSQL")
    return Path(str(parsed.database))


def _check_version(source: sqlite3.Connection, path: Path) -> None:
    try:
        row = source.execute("select version_num from us_schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise UserError(f"expected a database of Understudy at {path}, got: {error}") from error
    version = None if row is None else row[0]
    if version != head_version():
        raise UserError(
            f"expected schema version {head_version()} in {path}, got {version}; start this version of Understudy on "
            "it once, which migrates it, stop it again, and then move"
        )


def _move(source: sqlite3.Connection, to_url: str, tell: Tell) -> Moved:
    engine = open_engine(to_url)
    try:
        with engine.begin() as target:
            hold_boots(target)
            tables = reflect_tables(target, JOURNAL_SCHEMA, FORMS)
            refuse_filled(target, tables)
            rows = copy_tables(source, target, tables, tell)
            with Session(target, join_transaction_mode="rollback_only") as session:
                under_way = hand_over(session, schema=JOURNAL_SCHEMA)
        return Moved(tables=len(tables), rows=rows, under_way=under_way)
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise UserError(f"expected {where} to answer until the move is done, got: {error.orig}; begin again") from error
    finally:
        engine.dispose()
