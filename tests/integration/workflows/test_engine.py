"""What workflows can rely on: order, retries, queues, progress, schedules, and a stop that loses nothing."""

import time
from pathlib import Path

import pytest

from app.domain.errors import Refused, RetryLater, UserError
from app.store.database import reading
from app.store.deliveries import load_delivery
from app.workflows import engine
from app.workflows.runs import RUNNING, Queue, State
from tests.integration.workflows import samples
from tests.waiting import eventually


def test_a_workflow_runs_once_however_often_it_is_started(booted: str, tmp_path: Path) -> None:
    for _ in range(3):
        engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    assert engine.wait("w1") == "done k"
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)  # a redelivery long after
    assert engine.wait("w1") == "done k"
    assert samples.effects(tmp_path).count("first k") == 1
    assert [run.id for run in engine.list_runs((State.SUCCESS,), id_prefix="w")] == ["w1"]
    assert engine.count_states()["SUCCESS"] >= 1


def test_retry_later_is_waited_for_as_long_as_asked(booted: str, tmp_path: Path) -> None:
    began = time.monotonic()
    engine.start("patient", "w1", "k", 1, queue=Queue.INTAKE)
    assert engine.wait("w1") == 1
    assert time.monotonic() - began >= 1.5
    assert samples.effects(tmp_path) == ["hurried k"] * 2


def test_errors_of_ours_come_back_as_themselves_after_a_restart(empty_database_url: str, tmp_path: Path) -> None:
    samples.in_folder(tmp_path)
    held = samples.hold(tmp_path)
    for attempt in range(2):
        engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False)
        try:
            if attempt == 0:
                engine.start("refusing", "w1", "k", queue=Queue.INTAKE)
                eventually(lambda: [line for line in samples.effects(tmp_path) if line.startswith("slow")])
            else:
                held.unlink()
                assert engine.wait("w1") == ["a_reason", "another_reason"]
        finally:
            engine.shutdown()
    assert samples.effects(tmp_path).count("refused k") == 1


def test_a_refused_transaction_leaves_nothing(booted: str) -> None:
    engine.start("refusing", "w1", "k", queue=Queue.INTAKE)
    engine.wait("w1")
    with reading(engine.database()) as session:
        assert load_delivery(session, "k") is None


def test_an_orderly_stop_in_the_middle_is_gone_on_with(empty_database_url: str, tmp_path: Path) -> None:
    samples.in_folder(tmp_path)
    held = samples.hold(tmp_path)
    engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False)
    engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    eventually(lambda: len(samples.effects(tmp_path)) == 2)
    engine.shutdown()
    assert "slept k" not in samples.effects(tmp_path)
    held.unlink()
    engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False)
    try:
        assert engine.wait("w1") == "done k"
    finally:
        engine.shutdown()
    assert samples.effects(tmp_path).count("first k") == 1


def test_a_waiting_step_is_cancelled_where_it_waits(booted: str, tmp_path: Path) -> None:
    engine.start("long", "w1", "k", queue=Queue.INTAKE)
    eventually(lambda: samples.effects(tmp_path) == ["begun k"])
    engine.cancel("w1")
    eventually(lambda: samples.effects(tmp_path) == ["begun k", "ended k"], timeout_seconds=30)
    assert (run := engine.load_run("w1")) is not None
    assert run.state is State.CANCELLED


def test_github_work_of_one_installation_never_overlaps(booted: str, tmp_path: Path) -> None:
    for number in range(3):
        for installation in ("a", "b"):
            key = f"{installation}{number}"
            engine.start("exclusive", key, key, queue=Queue.GITHUB, partition=installation)
    for number in range(3):
        for installation in ("a", "b"):
            engine.wait(f"{installation}{number}")
    for installation in ("a", "b"):
        _check_alternating([line for line in samples.effects(tmp_path) if line.split()[1].startswith(installation)])


def test_gpu_work_never_overlaps(booted: str, tmp_path: Path) -> None:
    for number in range(3):
        engine.start("exclusive", f"g{number}", f"g{number}", queue=Queue.GPU)
    for number in range(3):
        engine.wait(f"g{number}")
    _check_alternating([line for line in samples.effects(tmp_path) if " g" in line])


def _check_alternating(lines: list[str]) -> None:
    assert len(lines) == 6
    for enter, leave in zip(lines[::2], lines[1::2], strict=True):
        assert (enter.split()[0], leave.split()[0]) == ("enter", "leave")
        assert enter.split()[1] == leave.split()[1]


def test_progress_is_seen_while_it_runs(booted: str, tmp_path: Path) -> None:
    held = samples.hold(tmp_path)
    engine.start("exclusive", "w1", "k", queue=Queue.GPU)

    def progress_of_running() -> object:
        return [run.progress for run in engine.list_runs(RUNNING) if run.progress]

    assert eventually(progress_of_running) == [{"stage": "exclusive", "key": "k"}]
    held.unlink()
    engine.wait("w1")


def test_a_partition_is_asked_for_where_it_is_needed(booted: str) -> None:
    with pytest.raises(UserError, match="expected a partition for the queue github and for no other, got github"):
        engine.start("exclusive", "w1", "k", queue=Queue.GITHUB)
    with pytest.raises(UserError, match="for no other, got gpu"):
        engine.start("exclusive", "w1", "k", queue=Queue.GPU, partition=1)


def test_a_schedule_ticks_and_each_tick_is_one(empty_database_url: str, tmp_path: Path) -> None:
    samples.in_folder(tmp_path)

    def ticks() -> list[str]:
        path = tmp_path / "ticks"
        found = path.read_text().splitlines() if path.exists() else []
        return found if len(found) >= 2 else []

    engine.boot(empty_database_url, polling_seconds=0.05)
    try:
        found = eventually(ticks)
    finally:
        engine.shutdown()
    assert len(set(found)) == len(found)


async def test_outside_a_workflow_a_step_is_an_ordinary_function(tmp_path: Path) -> None:
    samples.in_folder(tmp_path)
    with pytest.raises(RetryLater):
        await samples.hurried("k", 1)
    with pytest.raises(Refused, match="a message"):
        await samples.refused("k")


def test_without_an_engine_the_error_says_what_to_do() -> None:
    with pytest.raises(UserError, match="python -m app serve"):
        engine.start("sample", "w1", "k", queue=Queue.INTAKE)
    with pytest.raises(UserError, match="inside a workflow"):
        engine.current_workflow_id()
    assert not engine.is_alive()


def test_alive_means_that_its_loop_answers(booted: str) -> None:
    assert engine.is_alive()


def test_two_engines_in_one_process_are_refused(booted: str) -> None:
    with pytest.raises(UserError, match="one job engine per process"):
        engine.boot(booted)
