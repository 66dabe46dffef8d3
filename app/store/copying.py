"""Rows of a SQLite file copied into PostgreSQL, ours and the job engine's, and counted and hashed on both sides.

Everything happens in one transaction of PostgreSQL: whoever kills it finds nothing there and begins again. The file is
opened for reading only.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP

from app.domain.errors import UserError

_BATCH = 2_000
_BITS = 256
Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Sum:
    """How many rows, and a sum over the hashes of each that does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, row: list[Any]) -> "Sum":
        text = json.dumps(row, sort_keys=True, ensure_ascii=False, default=_plain)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BITS // 8).digest()
        return Sum(self.rows + 1, (self.total + int.from_bytes(digest, "big")) % 2**_BITS)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"expected a value of a table, got {type(value).__name__}")


def reflect_tables(connection: sa.Connection, journal_schema: str, skipped: frozenset[str]) -> list[sa.Table]:
    """Our tables and the job engine's as PostgreSQL has them, those that others refer to first."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=lambda name, _: name.startswith("us_") and name not in skipped)
    metadata.reflect(connection, schema=journal_schema, only=lambda name, _: name not in skipped)
    return metadata.sorted_tables


def refuse_filled(connection: sa.Connection, tables: list[sa.Table]) -> None:
    """Raises:
    UserError: when any of the tables holds a row.
    """
    for table in tables:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise UserError(
                f"expected an empty database, got one with rows in {table.fullname}; nothing was changed. "
                "Create another database, or keep the one that is there"
            )


def open_source(path: Path) -> sqlite3.Connection:
    """The file, for reading only.

    Raises:
        UserError: when there is none.
    """
    if not path.is_file():
        raise UserError(f"expected a SQLite database to copy at {path}, got none; check UNDERSTUDY_DATABASE_URL")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def copy_tables(source: sqlite3.Connection, target: sa.Connection, tables: list[sa.Table], tell: Tell) -> int:
    """Copy every row in the target's transaction and verify it there; returns how many. `tell` hears of each batch.

    Raises:
        UserError: when a table differs on the two sides, before or after; the caller rolls back.
    """
    source.execute("BEGIN")  # one state of the file, whatever else reads it
    here = {row[0] for row in source.execute("select name from sqlite_master where type = 'table'")}
    copied = 0
    for table in tables:
        if table.name in here:
            names = _column_names(source, table)
            wanted = _copy(source, target, table, names, tell)
            _verify(table, wanted, _sum_target(target, table, names))
            copied += wanted.rows
    continue_numbers(target, tables)
    return copied


def _column_names(source: sqlite3.Connection, table: sa.Table) -> list[str]:
    names = [row[1] for row in source.execute(f'pragma table_info("{table.name}")')]
    unknown = set(names) - set(table.columns.keys())
    if unknown:
        raise UserError(
            f"expected tables of this version of Understudy, got {table.name} with {', '.join(sorted(unknown))}; "
            "use the version that wrote the file"
        )
    return names


def _verify(table: sa.Table, wanted: Sum, found: Sum) -> None:
    if found != wanted:
        raise UserError(
            f"expected the {wanted.rows} rows of {table.name} to be the same on both sides, got {found.rows} rows or "
            "other content; nothing was moved. Report this with the version of Understudy"
        )


def _copy(source: sqlite3.Connection, target: sa.Connection, table: sa.Table, names: list[str], tell: Tell) -> Sum:
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        identify_table(table), sql.SQL(",").join(map(sql.Identifier, names))
    )
    found = Sum()
    with driver_of(target).cursor() as cursor, cursor.copy(into) as copy:
        for row in _read_source(source, table, names):
            try:
                copy.write_row([_written(value, table.columns[name]) for name, value in zip(names, row, strict=True)])
            except psycopg.DataError as error:
                raise UserError(f"expected rows that PostgreSQL takes, got in {table.name}: {error}") from error
            found = found.add(row)
            if found.rows % _BATCH == 0:
                tell(table.name, found.rows)
    tell(table.name, found.rows)
    return found


def _read_source(source: sqlite3.Connection, table: sa.Table, names: list[str]) -> Iterator[list[Any]]:
    columns = [table.columns[name] for name in names]
    listed = ", ".join(f'"{name}"' for name in names)
    with closing(source.execute(f'select {listed} from "{table.name}"')) as rows:  # noqa: S608  names of the schema
        for row in rows:
            yield [_read_value(value, column) for value, column in zip(row, columns, strict=True)]


def _read_value(value: Any, column: sa.Column[Any]) -> Any:  # noqa: ANN401  whatever the column holds
    """As PostgreSQL's driver would give it."""
    if value is None:
        return None
    if isinstance(column.type, sa.Boolean):
        return bool(value)
    if isinstance(column.type, TIMESTAMP):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(column.type, JSON | JSONB):
        return json.loads(value)
    return value


def _written(value: Any, column: sa.Column[Any]) -> Any:  # noqa: ANN401
    if value is not None and isinstance(column.type, JSON | JSONB):
        return json.dumps(value, ensure_ascii=True)
    return value


def _sum_target(target: sa.Connection, table: sa.Table, names: list[str]) -> Sum:
    listed = sql.SQL(",").join(map(sql.Identifier, names))
    found = Sum()
    with driver_of(target).cursor(name="verifying") as cursor:
        cursor.itersize = _BATCH
        for row in cursor.execute(sql.SQL("SELECT {} FROM {}").format(listed, identify_table(table))):
            found = found.add(list(row))
    return found


def continue_numbers(target: sa.Connection, tables: list[sa.Table]) -> None:
    """Rows that the database numbers go on after the last that came."""
    for table in tables:
        for column in table.primary_key.columns:
            if "nextval" not in str(getattr(column.server_default, "arg", "")):
                continue
            sequence = sa.func.pg_get_serial_sequence(table.fullname, column.name)
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            target.execute(sa.select(sa.func.setval(sequence, highest, False)))


def identify_table(table: sa.Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name) if table.schema else sql.Identifier(table.name)


def driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The connection below SQLAlchemy's, which speaks COPY."""
    return cast(psycopg.Connection[Any], connection.connection.driver_connection)
