"""Waiting for what must come, and holding up what a test that looks late would miss."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from app.store.database import open_engine, writing

Found = TypeVar("Found")
_FOR_EVER = "SELECT (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n)"


def eventually(look: Callable[[], Found], timeout_seconds: float = 20) -> Found:
    """What `look` finds as soon as it is true; fails when it never is."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_seconds} s: {found!r}")
        time.sleep(0.05)
    return found


def hold(url: str, table: str, *, after: int) -> None:
    """From so many rows on the next one never ends, so that a test that is late to look still finds work half done.

    Of a SQLite database. Whoever writes the next row is there to be killed: it holds the database's lock meanwhile.
    """
    full = f"(SELECT count(*) FROM {table}) >= {after}"  # noqa: S608 (our own names)
    _on_database(url, f"CREATE TRIGGER hold_{table} BEFORE INSERT ON {table} WHEN {full} BEGIN {_FOR_EVER}; END")


def let_go(url: str, table: str) -> None:
    """What was held goes on, once nobody holds the database's lock."""
    _on_database(url, f"DROP TRIGGER hold_{table}")


def _on_database(url: str, statement: str) -> None:
    database = open_engine(url)
    try:
        with writing(database) as session:
            session.connection().exec_driver_sql(statement)
    finally:
        database.dispose()
