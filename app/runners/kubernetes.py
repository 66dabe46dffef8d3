"""Training as a Kubernetes Job, over a volume that the pods share with the service."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from app.domain.errors import Refused, RetryLater, UserError
from app.runners.guarded import open_guarded
from app.runners.kubernetes_api import ACCOUNT, KubernetesApi
from app.runners.kubernetes_job import RUN_ANNOTATION, JobState, decide_state, describe_failure, render_job
from app.runners.patience import ask_until
from app.runners.places import KubernetesPlace
from app.runners.progress import FILE, following
from app.runners.running import Listener, TrainingTask
from app.runners.staging import stage_run

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0
_OUTPUT_TAIL = 15
#: Bytes of a log's end that are searched for the last lines.
_TAIL_BYTES = 16_384


class KubernetesRunner:
    """The Job's name is the task's, so the API server itself refuses a second one. A Job whose end was seen is deleted:
    what is found is running, or ended while nobody looked.
    """

    keeps_weights = False

    def __init__(
        self, place: KubernetesPlace, data: Path, *, look_seconds: float = _LOOK_SECONDS, account: Path = ACCOUNT
    ) -> None:
        self._place = place
        self._data = data
        self._look_seconds = look_seconds
        self._account = account

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        """As Runner.run."""
        task = await asyncio.to_thread(stage_run, task)
        manifest = render_job(self._place, task, self._data)
        async with KubernetesApi(self._place, account=self._account) as api:
            await self._ensure(api, manifest, task)
            async with (
                following(task.out / FILE, listener.progress, every_seconds=self._look_seconds),
                self._following_logs(api, task),
            ):
                load = partial(self._load, api, task.job_name)
                job = await ask_until(
                    load, lambda job: decide_state(job) is not JobState.RUNNING, every_seconds=self._look_seconds
                )
            said = await self._read_failure(api, job, task) if decide_state(job) is JobState.FAILED else None
            await api.delete_job(task.job_name)
        if said is not None:
            raise UserError(said)

    async def cancel(self, task: TrainingTask) -> None:
        """As Runner.cancel: the pods are told to end and get their grace."""
        async with KubernetesApi(self._place, account=self._account) as api:
            await api.delete_job(task.job_name)

    async def _ensure(self, api: KubernetesApi, manifest: dict[str, Any], task: TrainingTask) -> None:
        """Raises:
        RetryLater: while a Job of this name is being deleted.
        Refused: when the Job of this name is another's.
        """
        if await api.create_job(manifest):
            return
        found = await api.load_job(task.job_name)
        if found is None or "deletionTimestamp" in found["metadata"]:
            raise RetryLater(f"the Job {task.job_name} is being deleted", self._look_seconds)
        owner = (found["metadata"].get("annotations") or {}).get(RUN_ANNOTATION)
        if owner != task.name:
            raise Refused("other_run", f"the Job {task.job_name} belongs to {owner}, not to {task.name}; delete it")

    async def _load(self, api: KubernetesApi, name: str) -> dict[str, Any]:
        job = await api.load_job(name)
        if job is None:
            raise UserError(f"expected the Job {name} to be there, but somebody deleted it; start the round again")
        return job

    async def _read_failure(self, api: KubernetesApi, job: dict[str, Any], task: TrainingTask) -> str:
        missing = []
        try:
            for pod in await api.list_pods(task.job_name):
                async with asyncio.timeout(self._look_seconds + 5):
                    await self._save_log(api, pod, task)
        except (RetryLater, Refused, TimeoutError) as error:  # its words are a help, the failure is the fact
            missing = [f"its last words could not be read: {error or 'no answer in time'}"]
        logs = sorted(task.out.glob("pod-*.log"), key=lambda path: path.lstat().st_mtime)
        tail = _read_tail(logs[-1]) if logs else []
        return "\n".join([f"the training failed in the cluster, {describe_failure(job)}", *missing, *tail])

    @contextlib.asynccontextmanager
    async def _following_logs(self, api: KubernetesApi, task: TrainingTask) -> AsyncIterator[None]:
        follower = asyncio.create_task(self._follow_logs(api, task))
        try:
            yield
        finally:
            follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await follower

    async def _follow_logs(self, api: KubernetesApi, task: TrainingTask) -> None:
        """The newest pod's, until its end; then that of its successor. A log is a help: losing it ends nothing."""
        done: set[str] = set()
        while True:
            try:
                new = [pod for pod in await api.list_pods(task.job_name) if pod not in done]
                if new and await self._save_log(api, new[-1], task):
                    done.add(new[-1])
            except (RetryLater, Refused, UserError) as error:
                _log.info("the log of %s cannot be followed now: %s", task.job_name, error)
            await asyncio.sleep(self._look_seconds)

    async def _save_log(self, api: KubernetesApi, pod: str, task: TrainingTask) -> bool:
        """From its beginning, over what an earlier look saved. False while there is none."""
        async with api.open_log(pod) as chunks:
            if chunks is None:
                return False
            # Beside the pod's own files and in no folder of its own, for which the pod could put a link.
            with open_guarded(task.out / f"pod-{pod}.log", "wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
                    file.flush()
        return True


def _read_tail(log: Path) -> list[str]:
    with open_guarded(log, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-_OUTPUT_TAIL:]
