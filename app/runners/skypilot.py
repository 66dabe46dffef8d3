"""Training on a rented machine, by SkyPilot's command line, which is a program of its own: its package pins what
ours does not, so it lives in another environment.

SkyPilot has no name that is given only once. So its queue is asked before anything is launched; between the launch and
its appearance there lies a moment in which a kill could make a second job. That would train into the same folder of the
bucket and come out the same, at the price of its rent.
"""

import asyncio
import contextlib
import logging
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from app.domain.errors import RetryLater, UserError
from app.runners.buckets import delete_folder_command, fetch_file_command, fetch_folder_command
from app.runners.patience import ask_until
from app.runners.places import SkyPilotPlace
from app.runners.programs import run_program
from app.runners.progress import FILE, following
from app.runners.running import Listener, TrainingTask
from app.runners.skypilot_task import (
    SUCCEEDED,
    ManagedJob,
    cancel_command,
    launch_command,
    parse_queue,
    queue_command,
    remote_run,
    render_task,
    select_job,
)
from app.runners.staging import stage_run

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 60.0
_SILENT_SECONDS = 60.0


class _Notes(BaseModel):
    """`told`: jobs whose end was told already; the queue shows them for ever."""

    told: tuple[int, ...] = ()


class SkyPilotRunner:
    keeps_weights = False

    def __init__(self, place: SkyPilotPlace, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._place = place
        self._look_seconds = look_seconds

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        """As Runner.run."""
        task = await asyncio.to_thread(stage_run, task)
        if await self._find(task) is None:
            file = task.out / "skypilot.yaml"
            file.write_text(render_task(self._place, task), encoding="utf-8")
            await listener.act(
                "training.rented", {"run": task.name, "job": task.job_name, "bucket": self._place.bucket}
            )
            await self._launch(task, file)
        async with following(task.out / FILE, listener.progress, every_seconds=self._look_seconds):
            job = await ask_until(partial(self._look, task), lambda job: job.is_final, every_seconds=self._look_seconds)
        if job.status == SUCCEEDED:
            await self._fetch(task)
        _note(task, job)
        if job.status != SUCCEEDED:
            raise UserError(
                f"the rented training ended as {job.status}: {(job.failure_reason or 'no reason given')[:1000]}; "
                f"see `sky jobs logs {job.job_id}`"
            )

    async def cancel(self, task: TrainingTask) -> None:
        """As Runner.cancel."""
        job = await self._find(task)
        if job is None or job.is_final:
            return
        said = await run_program(cancel_command(self._place, task))
        if said.code != 0:
            raise RetryLater(f"the rented training could not be cancelled: {said.tail}", _SILENT_SECONDS)

    async def _find(self, task: TrainingTask) -> ManagedJob | None:
        said = await run_program(queue_command(self._place))
        if said.code != 0:
            raise RetryLater(f"`sky jobs queue` failed: {said.tail}", _SILENT_SECONDS)
        return select_job(parse_queue(said.out), task.job_name, _load_notes(task).told)

    async def _launch(self, task: TrainingTask, file: Path) -> None:
        said = await run_program(launch_command(self._place, task, file))
        if said.code != 0:
            raise UserError(f"expected SkyPilot to take {file}, but it refused; `sky check` says more: {said.tail}")

    async def _look(self, task: TrainingTask) -> ManagedJob:
        """Where the job stands; its newest progress line is fetched on the way."""
        job = await self._find(task)
        if job is None:
            raise RetryLater(f"the queue does not show {task.job_name}", _SILENT_SECONDS)
        arriving = task.out / f".{FILE}.arriving"
        # There is none before the training began, and a look that brings none is no harm.
        said = await run_program(fetch_file_command(self._place.bucket, f"{remote_run(task)}/{FILE}", arriving))
        if said.code == 0:
            with contextlib.suppress(FileNotFoundError):
                arriving.replace(task.out / FILE)
        return job

    async def _fetch(self, task: TrainingTask) -> None:
        said = await run_program(fetch_folder_command(self._place.bucket, remote_run(task), task.out))
        if said.code != 0:
            raise RetryLater(f"the run could not be fetched from {self._place.bucket}: {said.tail}", _SILENT_SECONDS)
        # What the team wrote is in its reports, and an erasure here does not reach there.
        said = await run_program(delete_folder_command(self._place.bucket, remote_run(task)))
        if said.code != 0:
            _log.warning(
                "%s of %s could not be deleted, its program ended with %d",
                remote_run(task),
                self._place.bucket,
                said.code,
            )


def _load_notes(task: TrainingTask) -> _Notes:
    try:
        return _Notes.model_validate_json((task.out / "skypilot.json").read_bytes())
    except FileNotFoundError:
        return _Notes()


def _note(task: TrainingTask, job: ManagedJob) -> None:
    notes = _Notes(told=(*_load_notes(task).told, job.job_id))
    beside = task.out / ".skypilot.json"
    beside.write_text(notes.model_dump_json(), encoding="utf-8")
    beside.replace(task.out / "skypilot.json")
