"""A SQLite service with work at every stage goes on in PostgreSQL: nothing lost, nothing twice, the file untouched."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.domain.errors import UserError
from app.keeping.moving import Moved, move
from app.store.database import open_engine, reading
from app.store.migrate import migrate
from app.store.tables import AuditRow, DeliveryRow
from app.workflows import engine
from app.workflows.runs import Queue, State
from tests.integration.store.old_rows import fill
from tests.integration.store.test_upgrades import read_all
from tests.integration.workflows import samples
from tests.integration.workflows.conftest import Start, program
from tests.waiting import eventually

assert program  # a fixture
_CHECKOUT = Path(__file__).parents[3]


def _quiet(_table: str, _rows: int) -> None:
    """Nobody listens."""


def _move(path: Path, target: str) -> Moved:
    return move(f"sqlite:///{path}", target, _quiet)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _saved(url: str) -> set[str]:
    database = open_engine(url)
    with reading(database) as session:
        found = set(session.exec(select(DeliveryRow.guid)))
    database.dispose()
    return found


def _filled(path: Path) -> None:
    migrate(f"sqlite:///{path}")
    database = open_engine(f"sqlite:///{path}")
    with database.begin() as connection:
        fill(connection)
    database.dispose()


def test_work_at_every_stage_ends_once_on_the_other_side(tmp_path: Path, empty_postgres: str, program: Start) -> None:
    path = tmp_path / "understudy.db"
    url = f"sqlite:///{path}"
    finished = [f"f{number}" for number in range(3)]
    begun = program(url, tmp_path, *finished).wait_ready()
    eventually(lambda: _saved(url) >= set(finished), 30)
    begun.kill()
    held = samples.hold(tmp_path)
    later = [f"k{number}" for number in range(10)]  # four run at a time, so six are queued
    begun = program(url, tmp_path, *later).wait_ready()
    eventually(lambda: sum(line.startswith("slow k") for line in samples.effects(tmp_path)) >= 4)
    with pytest.raises(UserError, match="stop that process"):
        _move(path, empty_postgres)
    begun.kill()
    before = samples.effects(tmp_path)
    assert not {f"slept {key}" for key in later} & {*before}
    began = {line.removeprefix("slow ").split()[0] for line in before if line.startswith("slow k")}
    digest = _digest(path)

    moved = _move(path, empty_postgres)

    assert moved.under_way == len(began) == 4
    assert _digest(path) == digest
    held.unlink()
    program(empty_postgres, tmp_path).wait_ready()
    eventually(lambda: _saved(empty_postgres) >= {*finished, *later}, 60)
    done = samples.effects(tmp_path)
    assert all(done.count(f"first {key}") == 1 for key in finished + later)
    assert all(done.count(f"slept {key}") == 1 for key in finished + later)


def test_finished_work_keeps_its_results_and_its_ids(tmp_path: Path, empty_postgres: str) -> None:
    path = tmp_path / "understudy.db"
    samples.in_folder(tmp_path)
    engine.boot(f"sqlite:///{path}", polling_seconds=0.05, scheduled=False)
    engine.start("exclusive", "w1", "k", queue=Queue.GITHUB, partition=7)
    engine.wait("w1")
    engine.start("fragile", "w2", "k", queue=Queue.INTAKE)
    eventually(lambda: (run := engine.load_run("w2")) is not None and run.state is State.ERROR)
    engine.shutdown()
    assert _move(path, empty_postgres).under_way == 0
    engine.boot(empty_postgres, polling_seconds=0.05, scheduled=False)
    try:
        run, failed = engine.load_run("w1"), engine.load_run("w2")
        assert run is not None
        assert (run.state, run.progress) == (State.SUCCESS, {"stage": "exclusive", "key": "k"})
        assert failed is not None
        assert failed.error == "ValueError: broken"
        engine.start("exclusive", "w1", "k", queue=Queue.GITHUB, partition=7)  # a known id is not run again
        (tmp_path / "mended").touch()
        engine.retry("w2")
        assert engine.wait("w2") == "mended"
        assert samples.effects(tmp_path).count("enter k") == 1
    finally:
        engine.shutdown()


def test_every_table_comes_whole_and_numbers_go_on(tmp_path: Path, empty_postgres: str) -> None:
    path = tmp_path / "understudy.db"
    _filled(path)
    here = open_engine(f"sqlite:///{path}")
    with reading(here) as session:
        wanted = read_all(session)
    here.dispose()
    assert _move(path, empty_postgres).rows == sum(wanted.values())
    there = open_engine(empty_postgres)
    with Session(there) as session:
        assert read_all(session) == wanted
        session.add(AuditRow(actor="mara", action="x", subject="s", idempotency_key="new"))
        session.commit()
        assert sorted(row.id or 0 for row in session.exec(select(AuditRow))) == [1, 2]
    there.dispose()
    with pytest.raises(UserError, match="expected an empty database, got one with rows"):
        _move(path, empty_postgres)


_DYING = """
import os, signal, sys
from app.store import copying
from app.keeping import moving

def die(table, rows):
    if table == "us_example":
        os.kill(os.getpid(), signal.SIGKILL)

moving.move(sys.argv[1], sys.argv[2], die)
"""


def test_a_move_that_is_killed_is_begun_again(tmp_path: Path, empty_postgres: str) -> None:
    path = tmp_path / "understudy.db"
    _filled(path)
    digest = _digest(path)
    command = [sys.executable, "-c", _DYING, f"sqlite:///{path}", empty_postgres]
    assert subprocess.run(command, cwd=_CHECKOUT, env=os.environ, check=False).returncode == -signal.SIGKILL
    assert _saved(empty_postgres) == set()
    assert _move(path, empty_postgres).rows > 20
    assert _digest(path) == digest


@pytest.mark.parametrize("statement", ["update us_example set weight = 0.5", "delete from us_finding"])
def test_a_row_that_changes_on_the_way_is_noticed(
    statement: str, tmp_path: Path, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.store import copying

    path = tmp_path / "understudy.db"
    _filled(path)
    copy = copying._copy

    def meddle(source: object, target: sa.Connection, table: sa.Table, *rest: object) -> copying.Sum:
        found = copy(source, target, table, *rest)  # type: ignore[arg-type]
        if table.name in statement:
            target.execute(sa.text(statement))
        return found

    monkeypatch.setattr(copying, "_copy", meddle)
    with pytest.raises(UserError, match="to be the same on both sides"):
        _move(path, empty_postgres)
    assert _saved(empty_postgres) == set()


def test_an_older_file_and_a_wrong_target_are_refused(tmp_path: Path, empty_postgres: str) -> None:
    path = tmp_path / "understudy.db"
    with pytest.raises(UserError, match="expected a SQLite database to copy"):
        _move(path, empty_postgres)
    _filled(path)
    with pytest.raises(UserError, match="expected a PostgreSQL database"):
        _move(path, f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(UserError, match="to name the SQLite file to move from"):
        move(empty_postgres, empty_postgres, _quiet)
    database = open_engine(f"sqlite:///{path}")
    with database.begin() as connection:
        connection.execute(sa.text("update us_schema_version set version_num = '0003'"))
    database.dispose()
    with pytest.raises(UserError, match="start this version of Understudy on it once"):
        _move(path, empty_postgres)
