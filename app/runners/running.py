"""The one interface to whatever trains: a task in, a whole run folder out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from app.domain.base import content_hash
from app.runners.progress import TrainingProgress


@dataclass(frozen=True)
class TrainingTask:
    """One run. All paths are absolute folders of this machine; `config` is a file.

    `name` follows from what decides the outcome (snapshot, base, configuration): the same name is the same work.
    """

    name: str
    snapshot: Path
    base: Path
    out: Path
    config: Path | None = None
    #: the adapter version in use, to be compared with
    current: Path | None = None
    #: the installation's regression set, made there by the first run; it does not travel to other machines
    pinned: Path | None = None
    #: the gate's thresholds, a file; the standing ones without it
    policy: Path | None = None
    #: who may judge, a file with a key beside it: it stays on this machine, and so does whoever asks the judge
    judge: Path | None = None

    @property
    def job_name(self) -> str:
        """A name that Kubernetes (DNS labels, 63 characters) and SkyPilot take, the same whenever it is asked for."""
        return f"understudy-{content_hash('job1', self.name).split(':')[1][:16]}"


@dataclass(frozen=True)
class Listener:
    """Who is told: `progress` how far it is, `act` what was done that must be on record, before it is done."""

    progress: Callable[[TrainingProgress], Awaitable[None]]
    act: Callable[[str, Mapping[str, JsonValue]], Awaitable[None]]


class Runner(Protocol):
    """Trains. Both calls are idempotent and may be made by another process than the first."""

    @property
    def keeps_weights(self) -> bool:
        """Whether the weights stay where they are trained; then what comes back is an ExternalVersion."""

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        """Return when `task.out` holds a whole run or an ExternalVersion.

        Being cancelled leaves work elsewhere running, to be found again; work on this machine ends.

        Raises:
            UserError: the training failed, or the place is set up wrongly; the message is for a person.
            RetryLater: the place does not answer; nothing is lost.
        """

    async def cancel(self, task: TrainingTask) -> None:
        """End the work, wherever it is. Nothing to end is no error."""


def render_arguments(snapshot: Path, base: Path, out: Path, **files: Path | None) -> tuple[str, ...]:
    """The training program's command line, after the interpreter; `files` by option's name, None left out. Pure."""
    arguments = ["-m", "training", "run", "--snapshot", str(snapshot), "--base", str(base)]
    for name, path in files.items():
        if path is not None:
            arguments += [f"--{name}", str(path)]
    return (*arguments, "--out", str(out))
