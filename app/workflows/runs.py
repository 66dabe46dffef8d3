"""What the engine says about workflows, in our words: queues, states, runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Queue(StrEnum):
    """`GITHUB` runs one workflow at a time per partition, which is an installation id; `GPU` one per process."""

    INTAKE = "intake"
    GITHUB = "github"
    GPU = "gpu"


class Role(StrEnum):
    """What a process is there for: `WEB` answers webhooks and pages and runs no workflow, `WORKER` runs what reads and
    writes GitHub and what the clock asks for, `GPU` trains, `ALL` is the three in one."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    GPU = "gpu"

    @property
    def queues(self) -> tuple[Queue, ...] | None:
        """None means all."""
        return {Role.WEB: (), Role.WORKER: (Queue.INTAKE, Queue.GITHUB), Role.GPU: (Queue.GPU,)}.get(self)

    @property
    def answers(self) -> bool:
        """Whether webhooks and operators are answered here."""
        return self in (Role.ALL, Role.WEB)

    @property
    def keeps_clock(self) -> bool:
        return self in (Role.ALL, Role.WORKER)


class State(StrEnum):
    """Where a workflow stands. `DEAD` was recovered too often and waits for a person."""

    DELAYED = "DELAYED"
    ENQUEUED = "ENQUEUED"
    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    DEAD = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"


RUNNING = (State.DELAYED, State.ENQUEUED, State.PENDING)
FINISHED = (State.SUCCESS, State.CANCELLED)
FAILED = (State.ERROR, State.DEAD)


@dataclass(frozen=True)
class WorkflowRun:
    """A workflow as an operator sees it. Times are seconds since 1970.

    `transient`: it failed of something that passes.
    """

    id: str
    name: str
    state: State
    queue: str | None
    created_at_seconds: float
    error: str | None
    progress: dict[str, Any] | None
    transient: bool = False
