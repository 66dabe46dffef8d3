"""What would grow without bound is forgotten in time, and nothing else is."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.tables import (
    AdapterPointerRow,
    AdapterVersionRow,
    AuditRow,
    DeliveryRow,
    ReviewAskRow,
    TrainingRunRow,
)
from app.workflows import context, engine, upkeep
from app.workflows.runs import FAILED, Queue
from tests.waiting import eventually

OLD = utc_now() - timedelta(days=400)


@pytest.fixture
def data(booted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    services = SimpleNamespace(database=engine.database(), data=tmp_path / "data", retention_days=30, records_days=365)
    monkeypatch.setattr(context, "_installed", [services])
    return tmp_path / "data"


def _count(table: str) -> int:
    schema = "dbos." if engine.database().dialect.name == "postgresql" else ""
    with reading(engine.database()) as session:
        counted = session.connection().execute(sa.text(f"select count(*) from {schema}{table}"))  # noqa: S608
        return int(counted.scalar_one())


def _forget() -> None:
    asyncio.run(upkeep.forget_before((utc_now() + timedelta(minutes=1)).isoformat()))


def test_finished_workflows_leave_nothing_in_the_journal(data: Path) -> None:
    for number in range(3):
        engine.start("sample", f"w{number}", f"k{number}", queue=Queue.INTAKE)
        engine.start("exclusive", f"e{number}", "k", queue=Queue.GITHUB, partition=7)
    for number in range(3):
        engine.wait(f"w{number}")
        engine.wait(f"e{number}")
    time.sleep(1.1)  # this Python's SQLite clock counts whole seconds
    _forget()
    for table in ("workflow_status", "operation_outputs", "workflow_input", "workflow_output", "datasource_outputs"):
        assert _count(table) == 0, table
    with reading(engine.database()) as session:
        assert session.connection().execute(sa.text("select count(*) from us_progress")).scalar_one() == 0


def test_what_earlier_versions_left_of_transactions_goes_and_that_of_live_work_stays(data: Path) -> None:
    schema = "dbos." if engine.database().dialect.name == "postgresql" else ""
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    engine.wait("w1")
    left = f"insert into {schema}datasource_outputs (workflow_id, step_id, output) values (:id, 1, '1')"  # noqa: S608
    with writing(engine.database()) as session:
        session.connection().execute(sa.text(left), [{"id": "gone"}, {"id": "w1"}])
    assert engine.delete_orphans() == 1
    assert _count("datasource_outputs") == 1


def test_records_go_after_their_time_and_decisions_stay(data: Path) -> None:
    rows: list[Any] = [
        DeliveryRow(guid="old", event="x", body=b"", received_at=OLD, handled_at=OLD),
        DeliveryRow(guid="waiting", event="x", body=b"", received_at=OLD),
        DeliveryRow(guid="new", event="x", body=b"", handled_at=utc_now()),
        ReviewAskRow(review_id="old", installation_id=7, received_at=OLD),
        ReviewAskRow(review_id="new", installation_id=7, received_at=utc_now()),
        AuditRow(at=OLD, actor="mara", action="approve", subject="o/r#3", idempotency_key="a"),
    ]
    with writing(engine.database()) as session:
        session.add_all(rows)
    engine.start("fragile", "w1", "k", queue=Queue.INTAKE)
    eventually(lambda: engine.list_runs(FAILED))
    found = asyncio.run(upkeep.forget_records((utc_now() - timedelta(days=365)).isoformat()))
    assert found == {"deliveries": 1, "asks": 1, "failed": 0, "runs": 0}
    with reading(engine.database()) as session:
        assert set(session.exec(select(DeliveryRow.guid))) == {"waiting", "new"}
        assert set(session.exec(select(ReviewAskRow.review_id))) == {"new"}
        assert len(session.exec(select(AuditRow)).all()) == 1
    time.sleep(1.1)
    later = (utc_now() + timedelta(minutes=1)).isoformat()
    assert asyncio.run(upkeep.forget_records(later))["failed"] == 1


def test_folders_of_old_runs_go_unless_something_stands_on_them(data: Path) -> None:
    with writing(engine.database()) as session:
        for name, state in (("served", "retired"), ("promoted", "promoted"), ("rejected", "rejected")):
            session.add(
                AdapterVersionRow(
                    name=name, installation_id=7, snapshot_id=f"ds1:{name}", state=state, path="", manifest={}
                )
            )
        session.add(AdapterPointerRow(installation_id=7, adapter_name="promoted", previous="served"))
        for name, ended in (
            ("served", OLD),
            ("promoted", OLD),
            ("rejected", OLD),
            ("nothing", OLD),
            ("new", utc_now()),
            ("running", None),
        ):
            folder = data / "runs" / name
            folder.mkdir(parents=True)
            (folder / "report.json").write_text("{}")
            session.add(
                TrainingRunRow(
                    id=name,
                    installation_id=7,
                    snapshot_id=f"ds1:{name}",
                    state="succeeded",
                    path=str(folder),
                    ended_at=ended,
                )
            )
    before = (utc_now() - timedelta(days=365)).isoformat()
    assert asyncio.run(upkeep.forget_records(before))["runs"] == 2
    assert {path.name for path in (data / "runs").iterdir()} == {"served", "promoted", "new", "running"}
    assert asyncio.run(upkeep.forget_records(before))["runs"] == 0


def test_what_the_killed_left_half_made_goes_after_a_day(data: Path) -> None:
    for name in ("snapshots/.half", "exports/.half", "adapters/.half", "snapshots/whole"):
        (data / name).mkdir(parents=True)
        (data / name / "rows.jsonl").write_text("{}")
        os.utime(data / name, (1, 1))
    (data / "snapshots/.being-made").mkdir()
    assert asyncio.run(upkeep.remove_leftovers(time.time() - 86_400)) == 3
    assert {path.name for path in (data / "snapshots").iterdir()} == {"whole", ".being-made"}
    assert asyncio.run(upkeep.remove_leftovers(time.time() - 86_400)) == 0
