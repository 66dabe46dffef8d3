"""A training as a SkyPilot task, the commands of its CLI, and what its queue's answer means. Pure.

By SkyPilot 0.14.1's own documents and schemas. Managed jobs are the kind that survives a preempted machine: the job is
started anew elsewhere and the training goes on from the checkpoint it finds in the bucket, which is mounted in the mode
that SkyPilot's documents name for checkpoints (MOUNT_CACHED). What could not be tried here: renting a machine.
"""

import json
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.domain.errors import RetryLater
from app.runners.places import GitCheckout, SkyPilotPlace
from app.runners.running import TrainingTask, render_arguments

_REMOTE = Path("/understudy")
_BUCKET = _REMOTE / "bucket"
#: Of sky.jobs.state.ManagedJobStatus, those that stay.
_FAILED = frozenset(
    {"CANCELLED", "FAILED", "FAILED_SETUP", "FAILED_PRECHECKS", "FAILED_NO_RESOURCE", "FAILED_CONTROLLER"}
)
SUCCEEDED = "SUCCEEDED"
_UNREADABLE_SECONDS = 30.0


class ManagedJob(BaseModel):
    """What we read of a record of `sky jobs queue --output json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: int
    job_name: str | None
    status: str
    failure_reason: str | None = None

    @property
    def is_final(self) -> bool:
        return self.status == SUCCEEDED or self.status in _FAILED


def remote_run(task: TrainingTask) -> str:
    """The run's folder below the bucket's root."""
    return f"runs/{task.job_name}"


def render_task(place: SkyPilotPlace, task: TrainingTask) -> str:
    """A staged task's YAML: what goes up, what is run, and on what."""
    resources: dict[str, Any] = {
        "use_spot": place.spot,
        "disk_size": place.disk_gb,
        "job_recovery": {"strategy": "FAILOVER", "max_restarts_on_errors": place.retries},
    }
    resources |= {"accelerators": place.accelerators} if place.accelerators else {"cpus": "8+"}
    resources |= {"infra": place.infra} if place.infra else {}
    sent = {"snapshot": task.snapshot, "base": task.base, "current": task.current}
    sent |= {path.name: path for path in (task.config, task.policy) if path is not None}
    mounts: dict[str, Any] = {str(_REMOTE / name): str(path) for name, path in sent.items() if path is not None}
    mounts[str(_BUCKET)] = {"source": place.bucket, "mode": "MOUNT_CACHED"}
    checkout = place.checkout
    told = {
        "name": task.job_name,
        "resources": resources,
        "workdir": checkout.model_dump() if isinstance(checkout, GitCheckout) else str(checkout),
        "file_mounts": mounts,
        "setup": place.setup,
        "run": _render_run(place, task),
    }
    return yaml.safe_dump(told, sort_keys=False, width=200)


def _render_run(place: SkyPilotPlace, task: TrainingTask) -> str:
    arguments = render_arguments(
        _REMOTE / "snapshot",
        _REMOTE / "base",
        _BUCKET / remote_run(task),
        config=None if task.config is None else _REMOTE / task.config.name,
        current=None if task.current is None else _REMOTE / "current",
        policy=None if task.policy is None else _REMOTE / task.policy.name,
    )
    return shlex.join([place.python, *arguments])


def launch_command(place: SkyPilotPlace, task: TrainingTask, file: Path) -> list[str]:
    return [place.program, "jobs", "launch", "--name", task.job_name, "--detach-run", "--yes", str(file)]


def queue_command(place: SkyPilotPlace) -> list[str]:
    """All jobs: the default shows fifty, and ours may be older."""
    return [place.program, "jobs", "queue", "--all", "--output", "json"]


def cancel_command(place: SkyPilotPlace, task: TrainingTask) -> list[str]:
    return [place.program, "jobs", "cancel", "--name", task.job_name, "--yes"]


def parse_queue(text: str) -> list[ManagedJob]:
    """Raises:
    RetryLater: when it is no such list; the CLI says other things first while its server starts.
    """
    start = text.find("[")
    try:
        return TypeAdapter(list[ManagedJob]).validate_python(json.loads(text[max(start, 0) :]))
    except (ValueError, ValidationError) as error:
        raise RetryLater(
            "expected a list of jobs from `sky jobs queue`, got something else", _UNREADABLE_SECONDS
        ) from error


def select_job(jobs: Sequence[ManagedJob], name: str, told: Collection[int]) -> ManagedJob | None:
    """The newest of this name whose end was not told yet: SkyPilot keeps ended jobs in its queue, and names repeat."""
    ours = [job for job in jobs if job.job_name == name and job.job_id not in told]
    return max(ours, key=lambda job: job.job_id, default=None)
