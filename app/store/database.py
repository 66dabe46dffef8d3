"""Engines and sessions. SQLite is the default; PostgreSQL is chosen by URL. Both run the same queries."""

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from app.domain.errors import UserError, spoken_place
from app.domain.explaining import show_given

_BUSY_TIMEOUT_MILLISECONDS = 30_000
_READ_ONLY = "us_read_only"
#: Connections to a SQLite file, as many as there are threads. The job engine reads on a second one while it has the
#: file to itself: were all the others waiting for the file, neither would go on (`tests/benchmarks/tenants`).
_ANY = -1
_SETTING = "UNDERSTUDY_DATABASE_URL"
_TURNS: WeakKeyDictionary[sa.Engine, Lock] = WeakKeyDictionary()


def parse_database_url(url: str, *, named: str = _SETTING) -> sa.URL:
    """The URL with its one supported driver filled in. `named`: the setting or the option that holds it.

    Raises:
        UserError: for anything but a SQLite file or a PostgreSQL URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UserError(
            "expected a database URL such as sqlite:///data/understudy.db or postgresql://user@host/name"
            f"{show_given(url)}; correct {named}"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    raise UserError(
        f"expected a SQLite file (sqlite:///path) or PostgreSQL (postgresql://…), got {backend!r}"
        f"{' in memory' if backend == 'sqlite' else ''}; correct {named}: durable work needs a database that "
        "survives the process"
    )


def check_sqlite_version(library: tuple[int, int, int], python: tuple[int, int]) -> None:
    """Refuse the one combination under which the job engine silently never runs anything.

    From Python 3.12 it asks SQLite for `unixepoch('subsec')`, which a library older than 3.42 answers with NULL.

    Raises:
        UserError: for that combination.
    """
    if library < (3, 42, 0) and python >= (3, 12):
        raise UserError(
            f"expected SQLite 3.42 or newer with Python {python[0]}.{python[1]}, got {'.'.join(map(str, library))}; "
            "use Python 3.11, a newer SQLite library, or PostgreSQL"
        )


def open_engine(url: str) -> sa.Engine:
    """An engine for our tables. A SQLite file and its folder are created, for their owner alone; nothing else is
    changed."""
    parsed = parse_database_url(url)
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=10)
    check_sqlite_version(sqlite3.sqlite_version_info, sys.version_info[:2])
    with spoken_place(f"UNDERSTUDY_DATABASE_URL ({parsed.database})"):
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = sa.create_engine(parsed, pool_size=10, max_overflow=_ANY)
    sa.event.listen(engine, "do_connect", _create_private)
    sa.event.listen(engine, "connect", prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private(_dialect: object, _record: object, args: list[str], _options: object) -> None:
    """Before SQLite makes the file by its own mode; the files beside it take that of the file."""
    # What is there stays as it is, and what can't be made, SQLite itself says.
    with suppress(OSError):
        os.close(os.open(args[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def name_cause(error: sa.exc.SQLAlchemyError) -> str:
    """What the database itself said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())


def open_existing(url: str, *, named: str = _SETTING) -> sa.Engine:
    """As `open_engine`, of a database that a service of ours has filled; nothing is created. `named`: as
    `parse_database_url`.

    Raises:
        UserError: when there is none, or it holds no tables of ours.
    """
    parsed = parse_database_url(url, named=named)
    place = parsed.render_as_string(hide_password=True)
    begin = ", or start the service once (`.venv/bin/python -m app serve`)" if named == _SETTING else ""
    missing = UserError(f"expected a database of Understudy at {place}, found none; check {named}{begin}")
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise missing
    engine = open_engine(url)
    try:
        is_ours = sa.inspect(engine).has_table("us_schema_version")
    except sa.exc.SQLAlchemyError as error:
        engine.dispose()
        raise UserError(
            f"expected a database that answers at {place}, got {name_cause(error)}; see that it runs and is one, or "
            f"correct {named}"
        ) from error
    if not is_ours:
        engine.dispose()
        raise missing
    return engine


def open_journal_engine(database: sa.Engine) -> sa.Engine | None:
    """An engine for the job engine's own tables in the same SQLite file; None where it should open its own.

    Its commits do not each wait for the disk. They are in the same log as ours, which do: whatever was acknowledged
    has everything before it on disk, and what power loss takes from the end is work that runs again.
    """
    if database.dialect.name != "sqlite":
        return None
    engine = sa.create_engine(database.url, pool_size=20, max_overflow=_ANY)
    sa.event.listen(engine, "connect", _prepare_journal)
    return engine


def _prepare_journal(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}")
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _enter_wal(connection: sqlite3.Connection) -> None:
    """The first switch of a new file is not covered by SQLite's busy timeout, and several may try it at once."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """What every connection of ours begins with."""
    # None: the driver opens no transaction by itself, `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}")
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")  # an acknowledged delivery survives the power, too
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer that begins as a reader fails at once where it should wait: the snapshot it read is already stale.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end, rolled back when the block raises."""
    # SQLite lets a writer sleep for up to 100 ms between two looks at a busy file: those of one process take turns.
    turn = _TURNS.setdefault(engine, Lock()) if engine.dialect.name == "sqlite" else nullcontext()
    with turn, Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Session]:
    """A session that only reads, and on SQLite never waits for a writer."""
    with Session(engine.execution_options(**{_READ_ONLY: True}), expire_on_commit=False) as session:
        yield session
