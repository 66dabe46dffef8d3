"""The database held up, or full: what was acknowledged is kept, and nobody restarts anything."""

import resource
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.workflows import engine
from app.workflows.runs import State
from tests.integration.intake.conftest import (
    Service,
    ServiceProgram,
    a_payload,
    running,
    settings_for,
    wait_outcome,
)
from tests.postgres import PostgresServer


def _deliver_until_taken(service: Service, number: int, guid: str, seconds: float = 60) -> list[int]:
    """The answers; the last one is 202 or 200."""
    answers: list[int] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answers.append(service.deliver(a_payload(number=number), guid=guid).status_code)
        if answers[-1] in (200, 202):
            return answers
        time.sleep(0.2)
    pytest.fail(f"not taken within {seconds} s: {answers[-5:]}")


def test_a_sqlite_file_that_is_locked_for_five_seconds_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "understudy.db"
    with running(settings_for(f"sqlite:///{path}", tmp_path)) as service:
        service.deliver(a_payload(), guid="before-0001")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            unlocked_at: list[float] = []

            def unlock() -> None:
                unlocked_at.append(time.monotonic())
                other.execute("COMMIT")

            threading.Timer(5, unlock).start()
            answer = service.deliver(a_payload(number=8), guid="during-0001")
            assert answer.status_code == 202
            (moment,) = unlocked_at  # nothing is acknowledged before it is written
            assert time.monotonic() - moment < 5, "GitHub gives up after ten seconds, of which five were the lock's"
        for guid in ("before-0001", "during-0001"):
            assert wait_outcome(service, guid, 40) == "enqueued: review, look_at_head"


def test_on_a_full_disk_nothing_is_acknowledged_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """Full is a limit on the size of the process's files: every write that would make one larger fails."""
    path = tmp_path / "understudy.db"
    program = ServiceProgram(f"sqlite:///{path}", tmp_path)
    with program.running() as service:
        assert service.deliver(a_payload(), guid="before-0001").status_code == 202
        assert wait_outcome(service, "before-0001", 40)
        pid = program.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (512, hard))
        refused = [service.deliver(a_payload(number=number), guid=f"full-{number:04}") for number in range(1, 4)]
        assert {answer.status_code for answer in refused} == {503}
        assert httpx.get(f"{service.url}/readyz", timeout=30).status_code == 503
        time.sleep(2)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        for number in range(1, 4):
            _deliver_until_taken(service, number, f"full-{number:04}")
        assert program.pid == pid
        for number in range(1, 4):
            assert wait_outcome(service, f"full-{number:04}", 60) == "enqueued: review, look_at_head"


@pytest.mark.slow
def test_a_database_that_goes_away_again_and_again_loses_nothing(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Stopped five times in the midst of deliveries; what was acknowledged is handled once each, without a restart."""
    with running(settings_for(postgres_server.create_database(), tmp_path)) as service:
        stopping = threading.Thread(target=_stop_and_start, args=(postgres_server, 5))
        stopping.start()
        guids: list[str] = []
        while stopping.is_alive() or len(guids) < 20:
            guids.append(f"again-{len(guids):04}")
            _deliver_until_taken(service, len(guids), guids[-1])
        stopping.join()
        assert {wait_outcome(service, guid, 60) for guid in guids} == {"enqueued: review, look_at_head"}
        reviews = engine.list_runs(tuple(State), id_prefix="review:", limit=1_000)
        assert sorted(run.id.split(":")[3] for run in reviews) == sorted(str(n + 1) for n in range(len(guids)))


def _stop_and_start(server: PostgresServer, times: int) -> None:
    for turn in range(times):
        time.sleep(1.5)
        server.stop()
        time.sleep(0.3 * turn)
        server.start()
