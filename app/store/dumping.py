"""All rows of a database in files, in one state of it, while others write; and back into an empty one."""

import os
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from psycopg import sql

from app.store.copying import continue_numbers, driver_of, identify_table, open_source, reflect_tables

_PIECE_BYTES = 1 << 20


def dump_sqlite(path: Path, target: Path) -> None:
    """A copy of the file in one state, without what was deleted. Writers are not held up."""
    with closing(open_source(path)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)


def dump_postgresql(
    engine: sa.Engine, folder: Path, *, journal_schema: str, skipped: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """One file a table in COPY's text form; returns the columns of each. Writers are not held up."""
    folder.mkdir(mode=0o700)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        tables = reflect_tables(connection, journal_schema, skipped)
        for table in tables:
            _dump(connection, table, folder / table.fullname)
    return {table.fullname: tuple(table.columns.keys()) for table in tables}


def _dump(connection: sa.Connection, table: sa.Table, target: Path) -> None:
    columns = sql.SQL(",").join(map(sql.Identifier, table.columns.keys()))
    out = sql.SQL("COPY {} ({}) TO STDOUT").format(identify_table(table), columns)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, driver_of(connection).cursor() as cursor, cursor.copy(out) as copy:
        for piece in copy:
            file.write(piece)


def load_postgresql(
    connection: sa.Connection, folder: Path, columns: dict[str, tuple[str, ...]], *, journal_schema: str
) -> None:
    """Fill the tables that are there, in the connection's transaction."""
    tables = [table for table in reflect_tables(connection, journal_schema, frozenset()) if table.fullname in columns]
    for table in tables:
        names = sql.SQL(",").join(map(sql.Identifier, columns[table.fullname]))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(identify_table(table), names)
        cursor = driver_of(connection).cursor()
        with (folder / table.fullname).open("rb") as file, cursor, cursor.copy(into) as copy:
            while piece := file.read(_PIECE_BYTES):
                copy.write(piece)
    continue_numbers(connection, tables)
