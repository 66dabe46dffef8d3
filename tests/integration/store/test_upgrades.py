"""From every released schema with rows in it to today's: no row is lost, and today's code reads each."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlmodel import Session, SQLModel, select

from app.domain.examples import Example, Rejection
from app.domain.findings import Finding
from app.store import reference_tables, tables, web_tables
from app.store.database import open_engine, reading
from app.store.migrate import alembic_config, head_version, migrate
from tests.integration.store.old_rows import MOMENT, fill

_MIGRATIONS = Path(tables.__file__).parent / "migrations"
RELEASED = sorted(script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())
_MODELS = {
    str(model.__tablename__): model
    for module in (tables, web_tables, reference_tables)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, SQLModel) and hasattr(model, "__table__")
}


def at_schema(url: str, revision: str) -> dict[str, int]:
    """A database as that version left it, with rows; how many by table."""
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), revision)
            return fill(connection)
    finally:
        engine.dispose()


def read_all(session: Session) -> dict[str, int]:
    """Every row of every table, through today's models."""
    return {name: len(session.exec(select(model)).all()) for name, model in _MODELS.items()}


@pytest.mark.parametrize("revision", RELEASED)
def test_rows_of_every_schema_are_there_and_readable_at_the_newest(revision: str, empty_database_url: str) -> None:
    wanted = at_schema(empty_database_url, revision)
    migrate(empty_database_url)
    engine = open_engine(empty_database_url)
    with reading(engine) as session:
        found = {name: count for name, count in read_all(session).items() if count}
        # What the dashboard searches is made of the Examples that are there.
        assert found == {"us_example_search": wanted["us_example"]} | wanted
        _check_content(session)
    with engine.begin() as connection:
        command.check(alembic_config(connection))
    engine.dispose()


def _check_content(session: Session) -> None:
    example = session.exec(select(tables.ExampleRow)).one()
    assert Example.model_validate(example.payload).hunk.lines[0].text == "x = 1  # é"
    assert example.signals == {}
    assert example.created_at.isoformat(sep=" ") == f"{MOMENT}+00:00"
    Rejection.model_validate(session.exec(select(tables.RejectionRow)).one().payload)
    Finding.model_validate(session.exec(select(tables.FindingRow)).one().payload)
    bodies = {row.guid: row.body for row in session.exec(select(tables.DeliveryRow))}
    assert bodies["github.com:1"] == b'{"zen": "\xc3\xa9"}'
    assert session.exec(select(tables.ReviewRow)).one().full is False


def test_rows_that_are_numbered_go_on_after_an_upgrade(database_url: str) -> None:
    engine = open_engine(database_url)
    with Session(engine) as session:
        for key in ("one", "two"):
            session.add(tables.AuditRow(actor="mara", action="x", subject="s", idempotency_key=key))
        session.commit()
        assert [row.id for row in session.exec(select(tables.AuditRow))] == [1, 2]
    engine.dispose()


_DYING = """
import sys, time
from sqlalchemy import event
from sqlalchemy.engine import Engine
from app.store.migrate import migrate

def stop(_connection, _cursor, statement, *_):
    if sys.argv[2] in statement:
        print("there", flush=True)
        time.sleep(60)

event.listen(Engine, "before_cursor_execute", stop)
migrate(sys.argv[1])
"""


@pytest.mark.parametrize("moment", ["us_repository", "us_pause", "INSERT INTO us_schema_version", "us_vector"])
def test_a_migration_that_is_killed_leaves_the_old_schema_whole_and_is_made_again(
    moment: str, empty_database_url: str
) -> None:
    wanted = at_schema(empty_database_url, "0001")
    command_line = [sys.executable, "-c", _DYING, empty_database_url, moment.replace("INSERT INTO ", "UPDATE ")]
    process = subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    engine = open_engine(empty_database_url)
    with engine.begin() as connection:
        _wait_alone(connection)
        assert connection.execute(sa.text("select version_num from us_schema_version")).scalar_one() == "0001"
        assert set(sa.inspect(connection).get_table_names()) == {*wanted, "us_schema_version"}
    migrate(empty_database_url)
    with reading(engine) as session:
        found = {name: count for name, count in read_all(session).items() if count}
        assert found == {"us_example_search": wanted["us_example"]} | wanted
        version = session.connection().execute(sa.text("select version_num from us_schema_version")).scalar_one()
    assert version == head_version()
    engine.dispose()


def _wait_alone(connection: sa.Connection) -> None:
    """PostgreSQL rolls back once it notices that the client is gone."""
    deadline = time.monotonic() + 30
    while connection.dialect.name == "postgresql" and time.monotonic() < deadline:
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        if connection.execute(sa.text(others)).scalar_one() == 0:
            return
        time.sleep(0.1)
