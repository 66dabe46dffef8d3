"""What the engine says about workflows, in our words: queues, states, runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Queue(StrEnum):
    """`GITHUB` runs one workflow at a time per partition, which is an installation id; `GPU` one at a time at all."""

    INTAKE = "intake"
    GITHUB = "github"
    GPU = "gpu"


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
