"""A learning round through a runner: what is shown while it runs, what is believed, what is recorded, what is ended."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.dataset.folder import verify_snapshot
from app.domain.errors import Refused, UserError
from app.domain.external import ExternalVersion
from app.runners.progress import TrainingProgress
from app.runners.running import Listener, TrainingTask
from app.store.database import reading, writing
from app.store.learning import append_audit, select_audit
from app.store.migrate import migrate
from app.store.rounds import load_pointer, select_adapter_versions, select_training_runs
from app.workflows import context, engine, learning, operating, retraining
from app.workflows.candidates import ROLLBACK, WITHHELD
from app.workflows.runs import RUNNING, Queue
from tests.integration.runners.approved import approve_examples
from tests.integration.runners.heard import until
from tests.made_run import MOMENT, progress_line, write_base, write_run
from tests.waiting import eventually

Work = Callable[[TrainingTask], object]
INSTALLATION = 42
#: importing it declares the workflow
_DECLARED = learning.learn


@dataclass
class ObedientRunner:
    """Does what the test says, when it says so."""

    work: Work = lambda task: write_run(task.out, verify_snapshot(task.snapshot))
    keeps_weights: bool = False
    go_on: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)
    tasks: list[TrainingTask] = field(default_factory=list)

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        self.tasks.append(task)
        await listener.progress(TrainingProgress.model_validate_json(progress_line(3)))
        self.begun.set()
        await until(self.go_on.is_set)
        self.work(task)

    async def cancel(self, task: TrainingTask) -> None:
        self.ended.append(task.name)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[ObedientRunner]:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    database = engine.boot(url, polling_seconds=0.05, scheduled=False)
    made = ObedientRunner()
    context.install(
        context.Services(
            database=database,
            host="github.test",
            app_slug="understudy",
            data=tmp_path / "data",
            base=write_base(tmp_path / "data" / "base"),
            serving=tmp_path / "serving",
            training_config=None,
            retention_days=30,
            github=lambda _: pytest.fail("nothing here asks GitHub"),
            runner=made,
            schedules={INSTALLATION: "0 3 * * 0"},
        )
    )
    approve_examples(database, INSTALLATION, 40)
    yield made
    made.go_on.set()
    engine.shutdown()
    context.install(None)


def _begin(reason: str = "drift: figures") -> str:
    engine.start("learn", "learn:42:test", INSTALLATION, reason, queue=Queue.GPU)
    return "learn:42:test"


def _finish(runner: ObedientRunner, workflow_id: str) -> Any:
    runner.go_on.set()
    return engine.wait(workflow_id, timeout_seconds=30)


def test_progress_and_reason_are_shown_while_it_runs_and_kept(runner: ObedientRunner) -> None:
    workflow_id = _begin()
    assert runner.begun.wait(20)
    (shown,) = [run.progress for run in engine.list_runs(RUNNING) if run.id == workflow_id]
    assert shown is not None
    figures = {name: shown[name] for name in ("stage", "part", "step", "total", "loss", "tokens_per_second", "reason")}
    assert figures == {
        "stage": "training",
        "part": "sft",
        "step": 3,
        "total": 10,
        "loss": 1.5,
        "tokens_per_second": 80.0,
        "reason": "drift: figures",
    }
    assert "confidential" not in str(operating.read_status()["running"])
    assert _finish(runner, workflow_id) == "hold"
    with reading(context.services().database) as session:
        (row,) = select_training_runs(session, INSTALLATION)
        (version,) = select_adapter_versions(session, INSTALLATION)
    assert (row.state, row.detail) == ("succeeded", {"reason": "drift: figures"})
    assert version.state == "candidate"
    assert runner.tasks[0].out.name == runner.tasks[0].name


def _tamper(task: TrainingTask) -> None:
    write_run(task.out, verify_snapshot(task.snapshot), verdict="promote")
    (task.out / "version" / "adapter" / "adapter_model.safetensors").write_bytes(b"others")


def test_what_came_back_changed_is_not_believed(runner: ObedientRunner) -> None:
    runner.work = _tamper
    workflow_id = _begin()
    with pytest.raises(Refused, match="it was changed"):
        _finish(runner, workflow_id)
    with reading(context.services().database) as session:
        assert select_training_runs(session, INSTALLATION)[0].state == "failed"
        assert select_adapter_versions(session, INSTALLATION) == []
        assert load_pointer(session, INSTALLATION) is None


def _make_what_was_rolled_back(task: TrainingTask) -> None:
    name = write_run(task.out, verify_snapshot(task.snapshot), verdict="promote")
    with writing(context.services().database) as session:
        append_audit(
            session,
            installation_id=INSTALLATION,
            actor="operator",
            action=ROLLBACK,
            subject="42--restored",
            idempotency_key="rollback",
            detail={"installation_id": INSTALLATION, "left": name},
        )


def test_a_version_that_a_person_rolled_back_from_is_neither_loaded_nor_used(runner: ObedientRunner) -> None:
    """No model server is there: a round that went on to load it would fail."""
    runner.work = _make_what_was_rolled_back
    assert _finish(runner, _begin()) == WITHHELD
    with reading(context.services().database) as session:
        (version,) = select_adapter_versions(session, INSTALLATION)
        assert version.state == "candidate"
        assert load_pointer(session, INSTALLATION) is None
        assert [one.subject for one in select_audit(session, action="adapter.withheld")] == [version.name]


def _keep_elsewhere(task: TrainingTask) -> None:
    version = ExternalVersion(
        dialect="together",
        host="api.example.org",
        model="ft:acme",
        base_model="b",
        job="j",
        snapshot=verify_snapshot(task.snapshot).id,
        rows=3,
        rows_hash="0",
        trained_tokens=None,
        created_at=MOMENT,
    )
    task.out.mkdir(parents=True)
    (task.out / "external.json").write_text(version.model_dump_json())


def test_a_run_whose_weights_came_back_can_not_pass_for_one_that_kept_them(runner: ObedientRunner) -> None:
    """A pod that lays the file of a hosted service into its run is asked for the proof all the same."""
    runner.work = _keep_elsewhere
    with pytest.raises(UserError, match="the run is not whole"):
        _finish(runner, _begin())


def test_a_model_elsewhere_is_recorded_and_reviews_nothing(runner: ObedientRunner) -> None:
    runner.work, runner.keeps_weights = _keep_elsewhere, True
    assert _finish(runner, _begin()) == "external"
    with reading(context.services().database) as session:
        (row,) = select_training_runs(session, INSTALLATION)
        assert row.detail["external"]["model"] == "ft:acme"
        assert select_adapter_versions(session, INSTALLATION) == []
        assert load_pointer(session, INSTALLATION) is None
        assert [one.subject for one in select_audit(session, action="adapter.external")] == ["ft:acme"]


def test_an_operators_cancel_ends_the_work_elsewhere(runner: ObedientRunner) -> None:
    workflow_id = _begin()
    assert runner.begun.wait(20)
    engine.cancel(workflow_id)
    eventually(lambda: runner.ended)
    assert runner.ended == [runner.tasks[0].name]

    def state() -> str:
        with reading(context.services().database) as session:
            return select_training_runs(session, INSTALLATION)[0].state

    eventually(lambda: state() == "cancelled")


def test_a_shutdown_leaves_the_work_elsewhere_alone(runner: ObedientRunner) -> None:
    _begin()
    assert runner.begun.wait(20)
    engine.shutdown()
    assert runner.ended == []


def test_the_owners_thresholds_are_fixed_before_the_run_and_name_it(runner: ObedientRunner, tmp_path: Path) -> None:
    """Another policy is another run: nobody finds the old answer ready under new thresholds."""
    (tmp_path / "mine.json").write_text('{"nll_lift": 0.3}')
    assert _finish(runner, _begin()) == "hold"
    context.install(replace(context.services(), gate_policy=tmp_path / "mine.json"))
    engine.start("learn", "learn:42:again", INSTALLATION, "again", queue=Queue.GPU)
    assert engine.wait("learn:42:again", timeout_seconds=30) == "hold"
    standing, own = runner.tasks
    assert (standing.policy, own.policy) == (None, tmp_path / "mine.json")
    assert own.name != standing.name


def test_due_rounds_begin_with_their_reason_on_record(runner: ObedientRunner) -> None:
    (due,) = asyncio.run(retraining.list_due_rounds())
    assert due == [INSTALLATION, "first: 40 approved comments, and nothing was learned yet"]
    asyncio.run(retraining.start_round(INSTALLATION, "2026-03-01", due[1]))
    workflow_id = "learn:42:2026-03-01"
    assert _finish(runner, workflow_id) == "hold"
    with reading(context.services().database) as session:
        assert [one.detail["reason"] for one in select_audit(session, action="round.begun")] == [due[1]]
        assert select_training_runs(session, INSTALLATION)[0].detail == {"reason": due[1]}
    assert asyncio.run(retraining.list_due_rounds()) == []
    sunday, monday = "2026-03-01T03:00:00+00:00", "2026-03-02T03:00:00+00:00"
    assert asyncio.run(retraining.list_scheduled_rounds(sunday)) == [
        [INSTALLATION, "schedule: the installation's schedule"]
    ]
    assert asyncio.run(retraining.list_scheduled_rounds(monday)) == []
    other = context.services().base / "base.json"
    other.write_text(other.read_text().replace("r1", "r2"))
    (upgraded,) = asyncio.run(retraining.list_due_rounds())
    assert upgraded[1].startswith("base_upgrade: ")
