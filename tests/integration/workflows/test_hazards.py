"""The twelve hazards of the job engine, each closed and held closed; numbered as in the engine's fact sheet."""

import ast
import asyncio
import base64
import importlib.metadata
import importlib.util
import logging
import os
import pickle
import sqlite3
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, select

from app.domain.errors import RetryLater, UserError
from app.runners.children import run_child
from app.store.columns import utc_now
from app.store.database import check_sqlite_version, open_engine, reading, writing
from app.store.deliveries import load_delivery, save_deliveries
from app.store.tables import DeliveryRow, ExecutorRow
from app.workflows import engine
from app.workflows.runs import FAILED, Queue, State
from tests.integration.workflows import samples
from tests.integration.workflows.conftest import Start
from tests.takeovers import load_takeover_seconds
from tests.waiting import eventually

_CHECKOUT = Path(__file__).parents[3]


def _is_saved(url: str, key: str) -> bool:
    database = open_engine(url)
    try:
        with reading(database) as session:
            return load_delivery(session, key) is not None
    finally:
        database.dispose()


def _slow_pids(folder: Path, key: str) -> list[int]:
    """The processes that began the long step of a workflow, in order."""
    lines = [line.split() for line in samples.effects(folder)]
    return [int(line[2]) for line in lines if line[:2] == ["slow", key]]


# 1. Two processes with one executor id run the same work at once.


def test_hazard_01_a_second_process_on_one_sqlite_file_is_refused_at_once(tmp_path: Path, program: Start) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    holder = program(url, tmp_path).wait_ready().process.pid
    began = time.monotonic()
    with pytest.raises(UserError, match=rf"process {holder} has it open; stop that process, or use PostgreSQL"):
        engine.boot(url)
    assert time.monotonic() - began < 10, "whoever waits for SQLite's lock waits 30 s, for the file's without end"


def test_hazard_01_the_lock_goes_with_a_killed_process(tmp_path: Path, program: Start) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    program(url, tmp_path).wait_ready().kill()
    program(url, tmp_path).wait_ready()


def test_hazard_01_on_postgresql_every_process_is_its_own_executor(
    empty_postgres: str, tmp_path: Path, program: Start
) -> None:
    held = samples.hold(tmp_path)
    first = program(empty_postgres, tmp_path, "k").wait_ready().process.pid
    eventually(lambda: _slow_pids(tmp_path, "k"))
    more = [f"m{number}" for number in range(8)]  # one process begins four at a time
    second = program(empty_postgres, tmp_path, *more).wait_ready().process.pid
    eventually(lambda: second in {pid for key in more for pid in _slow_pids(tmp_path, key)})
    held.unlink()
    eventually(lambda: all(_is_saved(empty_postgres, key) for key in ("k", *more)))
    assert _slow_pids(tmp_path, "k") == [first]
    assert all(len(_slow_pids(tmp_path, key)) == 1 for key in more)
    database = open_engine(empty_postgres)
    with reading(database) as session:
        assert len(set(session.exec(select(ExecutorRow.id)))) == 2
    database.dispose()


# 2. Nobody takes over a dead worker's work.


def test_hazard_02_a_peer_takes_over_within_15_s(empty_postgres: str, tmp_path: Path, program: Start) -> None:
    held = samples.hold(tmp_path)
    doomed = program(empty_postgres, tmp_path, "k").wait_ready()
    eventually(lambda: _slow_pids(tmp_path, "k"))
    peer = program(empty_postgres, tmp_path).wait_ready().process.pid
    doomed.kill()
    held.unlink()
    eventually(lambda: _is_saved(empty_postgres, "k"), timeout_seconds=60)
    assert _slow_pids(tmp_path, "k") == [doomed.process.pid, peer]
    assert samples.effects(tmp_path).count("first k") == 1
    seconds = eventually(lambda: load_takeover_seconds(empty_postgres, doomed.process.pid))
    print(f"took over {seconds:.1f} s after the last sign of life")  # noqa: T201 - a figure of the project
    assert seconds < 15


def test_hazard_02_sqlite_goes_on_after_a_kill(tmp_path: Path, program: Start) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    held = samples.hold(tmp_path)
    doomed = program(url, tmp_path, "k").wait_ready()
    eventually(lambda: _slow_pids(tmp_path, "k"))
    doomed.kill()
    held.unlink()
    heir = program(url, tmp_path).wait_ready()
    eventually(lambda: _is_saved(url, "k"))
    assert _slow_pids(tmp_path, "k") == [doomed.process.pid, heir.process.pid]
    assert samples.effects(tmp_path).count("first k") == 1


# 3. Changed workflow source strands work.


@pytest.mark.slow
def test_hazard_03_work_of_the_old_source_finishes_under_the_new(
    empty_database_url: str, tmp_path: Path, program: Start
) -> None:
    old = Path(samples.__file__).read_text()
    new = tmp_path / "newer_samples.py"
    new.write_text(old.replace('return f"done {key}"', 'await first(f"{key} by the new source")\n    return "new"'))
    held = samples.hold(tmp_path)
    doomed = program(empty_database_url, tmp_path, "k").wait_ready()
    eventually(lambda: _slow_pids(tmp_path, "k"))
    doomed.kill()
    held.unlink()
    program(empty_database_url, tmp_path, script=new).wait_ready()
    eventually(lambda: "first k by the new source" in samples.effects(tmp_path))
    assert samples.effects(tmp_path).count("first k") == 1


# 4. An old SQLite library with a new Python never runs anything.


def test_hazard_04_the_broken_combination_is_refused() -> None:
    with pytest.raises(UserError, match=r"expected SQLite 3\.42 or newer with Python 3\.12, got 3\.40\.1"):
        check_sqlite_version((3, 40, 1), (3, 12))
    check_sqlite_version((3, 42, 0), (3, 12))
    check_sqlite_version((3, 40, 1), (3, 11))
    check_sqlite_version(sqlite3.sqlite_version_info, sys.version_info[:2])


# 5. Pickle by default.


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.path),))


def test_hazard_05_a_planted_pickle_is_never_opened(
    booted: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bomb = base64.b64encode(pickle.dumps(_Bomb(tmp_path / "exploded"))).decode()
    engine.shutdown()
    engine.boot(booted, polling_seconds=0.05, scheduled=False, queues=(Queue.INTAKE,))  # so that the next one waits
    engine.start("sample", "planted", "k", queue=Queue.GPU)
    schema = "" if booted.startswith("sqlite") else "dbos."
    with writing(engine.database()) as session:
        for change in ("workflow_input set inputs = :bomb", "workflow_status set serialization = 'py_pickle'"):
            statement = sa.text(f"update {schema}{change} where workflow_uuid = 'planted'")
            assert session.connection().execute(statement, {"bomb": bomb} if ":bomb" in change else {}).rowcount == 1
    engine.shutdown()
    engine.boot(booted, polling_seconds=0.05, scheduled=False)
    (refused,) = eventually(lambda: engine.list_runs(FAILED))
    assert refused.id == "planted"
    assert "refused a pickled value" in caplog.text
    assert not (tmp_path / "exploded").exists()
    assert samples.effects(tmp_path) == []


def test_hazard_05_what_we_store_is_json(booted: str) -> None:
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    engine.wait("w1")
    schema = "" if booted.startswith("sqlite") else "dbos."
    with reading(engine.database()) as session:
        for table in ("workflow_status", "operation_outputs"):
            rows = session.connection().execute(sa.text(f"select distinct serialization from {schema}{table}"))  # noqa: S608
            kinds = {row[0] for row in rows}
            assert "portable_json" in kinds
            assert kinds <= {"portable_json", None}


# 6. A killed worker leaves the trainer behind.


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


def _child_pid(folder: Path) -> int:
    path = folder / "child"
    return int(path.read_text() or 0) if path.exists() else 0


def test_hazard_06_the_child_dies_with_a_killed_worker_and_starts_once_again(tmp_path: Path, program: Start) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    doomed = program(url, tmp_path, "parent=k").wait_ready()
    child = eventually(lambda: _child_pid(tmp_path))
    doomed.kill()
    eventually(lambda: not _is_running(child), timeout_seconds=30)
    program(url, tmp_path).wait_ready()
    second = eventually(lambda: (pid := _child_pid(tmp_path)) != child and pid)
    assert _is_running(second)


def test_hazard_06_cancelling_the_workflow_ends_the_child(booted: str, tmp_path: Path) -> None:
    engine.start("parent", "w1", "k", queue=Queue.GPU)
    child = eventually(lambda: _child_pid(tmp_path))
    engine.cancel("w1")
    eventually(lambda: not _is_running(child), timeout_seconds=30)


async def test_hazard_06_a_second_child_waits_for_the_first_to_be_gone(tmp_path: Path) -> None:
    lock, log, go, up = tmp_path / "lock", tmp_path / "log", tmp_path / "go", asyncio.Event()
    code = f"import os, time\nprint('up', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    first = asyncio.create_task(run_child(["-c", code], log=log, lock=lock, on_line=lambda _: up.set()))
    await up.wait()
    with pytest.raises(RetryLater, match="another process still works with"):
        await run_child(["-c", "pass"], log=log, lock=lock, lock_wait_seconds=0.2)
    go.touch()
    assert await run_child(["-c", "pass"], log=log, lock=lock) == 0
    assert await first == 0


async def test_hazard_06_a_child_gets_no_secret_and_its_output_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_OPERATOR_TOKEN", "canary-0123456789")
    lines: list[str] = []
    code = "import os, sys; print(sorted(os.environ)); print('half', end='\\r'); print('é' * 70000); sys.exit(3)"
    assert await run_child(["-c", code], log=tmp_path / "runs" / "log", on_line=lines.append) == 3
    assert "UNDERSTUDY" not in lines[0]
    assert lines[1:] == ["half", "é" * 70000]
    assert (tmp_path / "runs" / "log").read_text().count("é") == 70000


# 7. A duplicate inside the enqueueing transaction surfaces as an AssertionError.


def test_hazard_07_eight_racing_copies_of_a_delivery_are_one_workflow(booted: str, tmp_path: Path) -> None:
    def receive(_: int) -> bool:
        with writing(engine.database()) as session:
            new = bool(save_deliveries(session, [DeliveryRow(guid="h:1", event="sample", body=b"")]))
            if new:
                engine.enqueue_in_transaction(session, "sample", "w1", "k")
            return new

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(receive, range(8))) == [False] * 7 + [True]
    assert engine.wait("w1") == "done k"
    assert samples.effects(tmp_path).count("first k") == 1


def test_hazard_07_a_row_of_ours_that_is_refused_says_so_itself(booted: str) -> None:
    def receive() -> None:
        with writing(engine.database()) as session:
            session.add(DeliveryRow(guid="h:1", event="sample", body=b""))
            engine.enqueue_in_transaction(session, "sample", "w1", "k")

    with writing(engine.database()) as session:
        save_deliveries(session, [DeliveryRow(guid="h:1", event="sample", body=b"")])
    with pytest.raises(sa.exc.IntegrityError):
        receive()
    assert engine.load_run("w1") is None


# 8. The engine itself calls SQLite a toy: our promise is one process on one host, and that is tested.


@pytest.mark.slow
def test_hazard_08_nothing_is_lost_or_doubled_through_repeated_kills(tmp_path: Path, program: Start) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    keys = [f"k{number}" for number in range(12)]
    for kill in range(4):
        doomed = program(url, tmp_path, *keys[kill * 3 : kill * 3 + 3]).wait_ready()
        time.sleep(0.2 + 0.4 * kill)
        doomed.kill()
    program(url, tmp_path).wait_ready()
    eventually(lambda: all(_is_saved(url, key) for key in keys), timeout_seconds=30)
    done = samples.effects(tmp_path)
    assert all(f"first {key}" in done for key in keys)


def test_hazard_08_the_warning_is_not_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    samples.in_folder(tmp_path)
    engine.boot(f"sqlite:///{tmp_path / 'understudy.db'}")
    engine.shutdown()
    assert "development" not in "".join(capfd.readouterr())
    assert logging.getLogger("dbos").level == logging.WARNING


# 9. On SQLite the engine's tables share our file.


def test_hazard_09_our_tables_have_names_of_their_own(booted: str) -> None:
    ours = set(SQLModel.metadata.tables)
    assert all(name.startswith("us_") for name in ours)
    others = set(sa.inspect(engine.database()).get_table_names()) - ours - {"us_schema_version"}
    assert not [name for name in others if name.startswith("us_")]


# 10. Nothing is ever forgotten by itself.


def test_hazard_10_finished_workflows_are_forgotten_and_failed_ones_kept(booted: str) -> None:
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    engine.start("fragile", "w2", "k", queue=Queue.INTAKE)
    engine.wait("w1")
    eventually(lambda: engine.list_runs(FAILED))
    assert "w1" not in engine.delete_finished(utc_now() - timedelta(days=1))
    time.sleep(1.1)  # this Python's SQLite clock counts whole seconds
    assert "w1" in engine.delete_finished(utc_now())
    assert engine.load_run("w1") is None
    assert [run.id for run in engine.list_runs(FAILED)] == ["w2"]


# 11. A failed workflow is not tried again by a redelivery.


def test_hazard_11_an_operator_can_retry_a_failed_workflow(booted: str, tmp_path: Path) -> None:
    engine.start("fragile", "w1", "k", queue=Queue.INTAKE)
    failed = eventually(lambda: engine.list_runs(FAILED))[0]
    assert (failed.id, failed.state, failed.error) == ("w1", State.ERROR, "ValueError: broken")
    engine.start("fragile", "w1", "k", queue=Queue.INTAKE)
    engine.start("exclusive", "w2", "k", queue=Queue.INTAKE)
    engine.wait("w2")  # whatever waited before it had its turn
    assert samples.effects(tmp_path).count("fragile k") == 1
    (tmp_path / "mended").touch()
    engine.retry("w1")
    assert engine.wait("w1") == "mended"
    with pytest.raises(UserError, match="expected a finished workflow nothing, got none"):
        engine.retry("nothing")


def test_hazard_11_dead_letters_count_as_failed() -> None:
    assert State.DEAD in FAILED


# 12. Open core: features move behind a licence.


def test_hazard_12_the_engine_is_pinned_free_and_behind_one_package() -> None:
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text())["project"]
    pinned = next(item for item in project["dependencies"] if item.startswith("dbos"))
    assert pinned == f"dbos=={importlib.metadata.version('dbos')}"
    assert importlib.util.find_spec("dbos_enterprise") is None
    knowing = {path.parent for path in (_CHECKOUT / "app").rglob("*.py") if _imports_dbos(path)}
    assert knowing == {_CHECKOUT / "app" / "workflows" / "engine"}


def _imports_dbos(path: Path) -> bool:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return any(name.split(".")[0] == "dbos" for name in names)
