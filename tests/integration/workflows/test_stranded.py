"""What this process took from a queue and never began is begun after all; what runs is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos._utils import GlobalParams

from app.store.database import writing
from app.workflows import engine
from app.workflows.engine.stranded import enqueue_again, find_stranded
from app.workflows.runs import Queue, State
from tests.integration.workflows import samples
from tests.waiting import eventually


@pytest.fixture
def without_intake(empty_database_url: str, tmp_path: Path) -> Iterator[str]:
    """An engine that does not work on the queue of the samples, so that nothing begins by itself."""
    samples.in_folder(tmp_path)
    engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False, queues=(Queue.GPU,))
    yield empty_database_url
    engine.shutdown()


def _claim(workflow_id: str) -> None:
    """What a dequeue commits; its answer never comes."""
    schema = None if engine.database().dialect.name == "sqlite" else "dbos"
    status = sa.table("workflow_status", *map(sa.column, ("workflow_uuid", "status", "executor_id")), schema=schema)
    with writing(engine.database()) as session:
        claimed = sa.update(status).where(status.c.workflow_uuid == workflow_id)
        session.connection().execute(claimed.values(status="PENDING", executor_id=GlobalParams.executor_id))


def test_a_claim_whose_answer_was_lost_is_begun(without_intake: str, tmp_path: Path) -> None:
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    engine.start("sample", "w2", "l", queue=Queue.INTAKE)
    _claim("w1")
    found = find_stranded()
    assert found == {"w1"}
    enqueue_again(found)
    assert find_stranded() == frozenset()
    assert [engine.load_run(name).state for name in ("w1", "w2")] == [State.ENQUEUED] * 2  # type: ignore[union-attr]  # both are there
    engine.shutdown()
    engine.boot(without_intake, polling_seconds=0.05, scheduled=False)
    assert engine.wait("w1", timeout_seconds=20) == "done k"
    assert samples.effects(tmp_path).count("first k") == 1


def test_what_runs_is_not_stranded(booted: str, tmp_path: Path) -> None:
    held = samples.hold(tmp_path)
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    eventually(lambda: "slow" in " ".join(samples.effects(tmp_path)))
    assert find_stranded() == frozenset()
    held.unlink()
    assert engine.wait("w1", timeout_seconds=20) == "done k"
