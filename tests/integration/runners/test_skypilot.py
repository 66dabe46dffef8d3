"""A rented training through a program that takes SkyPilot's own options: launched once, watched, fetched, told once."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from app.dataset.folder import verify_snapshot
from app.domain.errors import RetryLater, UserError
from app.runners.places import SkyPilotPlace
from app.runners.returned import verify_returned
from app.runners.running import TrainingTask
from app.runners.skypilot import SkyPilotRunner
from tests.integration.runners.heard import Heard, until
from tests.made_run import progress_line, write_run
from tests.unit.runners.tasks import a_task

_FAKE = Path(__file__).with_name("fake_sky.py")


class Cloud:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        shutil.copyfile(_FAKE, folder / "fake_sky.py")
        for name in ("sky", "aws"):
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "fake_sky.py"} {name} "$@"\n')
            program.chmod(0o755)
        self.change(jobs=[], silences=0, refuse=False)

    @property
    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "state.json").read_text())["jobs"]
        return found

    @property
    def asked(self) -> list[str]:
        """The commands that `sky` was given."""
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def change(self, **state: Any) -> None:
        path = self.folder / "state.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        path.with_suffix(".new").write_text(json.dumps(before | state))
        path.with_suffix(".new").replace(path)

    def end(self, status: str, **more: str) -> None:
        *before, last = self.jobs
        self.change(jobs=[*before, last | {"status": status, **more}])

    def remote(self, task: TrainingTask) -> Path:
        return self.folder / "acme-understudy" / "runs" / task.job_name


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud(tmp_path / "cloud")
    monkeypatch.setenv("PATH", f"{made.folder}:/usr/bin:/bin")
    return made


@pytest.fixture
def task(tmp_path: Path) -> TrainingTask:
    return a_task(tmp_path)


def _runner() -> SkyPilotRunner:
    place = SkyPilotPlace(bucket="s3://acme-understudy", checkout=Path("/srv"), setup="make install")
    return SkyPilotRunner(place, look_seconds=0.05)


async def _begin(cloud: Cloud, task: TrainingTask, heard: Heard) -> "asyncio.Task[None]":
    work = asyncio.create_task(_runner().run(task, heard.listener))
    await until(lambda: cloud.jobs, work)
    return work


async def test_a_run_comes_back_whole_and_nothing_stays_in_the_bucket(cloud: Cloud, task: TrainingTask) -> None:
    heard = Heard()
    work = await _begin(cloud, task, heard)
    remote = cloud.remote(task)
    write_run(remote, verify_snapshot(task.snapshot))
    (remote / "checkpoints").mkdir()
    (remote / "progress.jsonl").write_bytes(progress_line(4))
    cloud.end("RECOVERING")
    await until(lambda: heard.steps, work)
    cloud.end("SUCCEEDED")
    await work
    assert verify_returned(task.out, task.snapshot, task.base).decision.verdict == "hold"
    assert heard.steps[0].step == 4
    assert not (task.out / "checkpoints").exists()
    assert not remote.exists()
    assert heard.acts == [
        ("training.rented", {"run": task.name, "job": task.job_name, "bucket": "s3://acme-understudy"})
    ]


async def test_a_restart_finds_the_job_and_a_told_failure_makes_room(cloud: Cloud, task: TrainingTask) -> None:
    work = await _begin(cloud, task, Heard())
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    heard, looks = Heard(), cloud.asked.count("queue")
    again = asyncio.create_task(_runner().run(task, heard.listener))
    await until(lambda: cloud.asked.count("queue") >= looks + 3, again)  # it was found, and looked at
    assert len(cloud.jobs) == cloud.asked.count("launch") == 1
    cloud.end("FAILED_NO_RESOURCE", failure_reason="no L4 anywhere")
    with pytest.raises(UserError, match=r"FAILED_NO_RESOURCE: no L4 anywhere; see `sky jobs logs 1`"):
        await again
    assert heard.acts == []
    third = asyncio.create_task(_runner().run(task, Heard().listener))
    await until(lambda: len(cloud.jobs) == 2, third)
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third


async def test_cancel_ends_the_job_once(cloud: Cloud, task: TrainingTask) -> None:
    await _runner().cancel(task)
    work = await _begin(cloud, task, Heard())
    await _runner().cancel(task)
    with pytest.raises(UserError, match="CANCELLED"):
        await work


async def test_what_sky_refuses_is_said(cloud: Cloud, task: TrainingTask, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.change(refuse=True)
    with pytest.raises(UserError, match="NoCloudAccessError"):
        await _runner().run(task, Heard().listener)
    cloud.change(silences=1)
    with pytest.raises(RetryLater, match="API server"):
        await _runner().run(task, Heard().listener)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="expected the program sky"):
        await _runner().run(task, Heard().listener)
