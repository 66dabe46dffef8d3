"""Writing a row once, however often the step that writes it runs."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def _values(row: SQLModel) -> dict[str, Any]:
    columns = sa.inspect(type(row)).columns
    values = {column.key: getattr(row, column.key) for column in columns}
    # A number the database gives is left out, so that it does.
    return {key: value for key, value in values.items() if value is not None or not columns[key].primary_key}


def _insert(session: Session, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    dialect = session.get_bind().dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_if_absent(session: Session, row: SQLModel) -> bool:
    """True if the row is new; False if a row with one of its unique keys is there, which then stays as it is."""
    table = sa.inspect(type(row)).local_table
    session.flush()  # rows added before this one come before it
    statement = _insert(session, table).values(_values(row)).on_conflict_do_nothing()
    # The row count of an insert is not known to every driver; what it returns is.
    inserted = session.connection().execute(statement.returning(*table.primary_key.columns))
    return inserted.first() is not None


def insert_all_if_absent(session: Session, rows: Iterable[SQLModel]) -> int:
    """How many of the rows, all of one table, were new."""
    return len(insert_missing(session, rows))


def insert_missing(session: Session, rows: Iterable[SQLModel]) -> list[tuple[Any, ...]]:
    """The primary keys of those rows, all of one table, that were new. By few statements: there may be thousands."""
    given = list(rows)
    return insert_values(session, type(given[0]), [_values(row) for row in given]) if given else []


def insert_values(session: Session, kind: type[SQLModel], values: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """As `insert_missing`, from the values of columns; at least one row."""
    table = sa.inspect(kind).local_table
    session.flush()
    statement = _insert(session, table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return [tuple(row) for row in session.connection().execute(statement, values)]


def upsert(session: Session, row: SQLModel, *, keep: frozenset[str] = frozenset()) -> None:
    """Insert the row, or overwrite the row with its primary key except for the columns in `keep`."""
    session.flush()
    table = sa.inspect(type(row)).local_table
    keys = [column.name for column in table.primary_key.columns]
    values = _values(row)
    changes = {name: value for name, value in values.items() if name not in keys and name not in keep}
    statement = _insert(session, table).values(values).on_conflict_do_update(index_elements=keys, set_=changes)
    session.connection().execute(statement)
