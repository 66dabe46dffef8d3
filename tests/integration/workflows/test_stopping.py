"""An erasure waits until no trainer works with the folders it is about to remove."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.adapters import CHILD_LOCK
from app.domain.errors import RetryLater
from app.runners.children import run_child
from app.workflows.erasing import stop_learning
from tests.integration.team import Team

_HOLD = """
import sys
from pathlib import Path
from training.process.lock import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(team: Team, request: pytest.FixtureRequest) -> Path:
    folder = team.services.data / "runs" / f"{team.installation_id}-{request.node.name}"
    folder.mkdir(parents=True)
    return folder


def _stop(team: Team) -> int:
    return asyncio.run(stop_learning(team.installation_id))


@contextmanager
def _training_in(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", _HOLD, str(folder)]
    trainer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "held\n"
        yield
    finally:
        trainer.communicate()


def test_a_trainer_at_work_is_waited_for(team: Team, run: Path) -> None:
    with _training_in(run), pytest.raises(RetryLater, match=f"still works in {run.name}"):
        _stop(team)
    assert _stop(team) == 0


def test_the_services_child_is_waited_for_before_it_trains(team: Team, run: Path) -> None:
    async def look() -> None:
        up = asyncio.Event()
        code = "import sys, time; print('up', flush=True); time.sleep(60)"
        lock, log = run / CHILD_LOCK, run / "run.log"
        child = asyncio.create_task(run_child(["-c", code], log=log, lock=lock, on_line=lambda _: up.set()))
        await asyncio.wait_for(up.wait(), 30)
        with pytest.raises(RetryLater, match=f"still works in {run.name}"):
            await stop_learning(team.installation_id)
        child.cancel()
        with pytest.raises(asyncio.CancelledError):
            await child

    asyncio.run(look())
    assert _stop(team) == 0


def test_another_installations_trainer_is_not_waited_for(team: Team) -> None:
    with _training_in(team.services.data / "runs" / f"{team.installation_id}1-other"):
        assert _stop(team) == 0
