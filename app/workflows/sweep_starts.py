"""How a sweep is asked for: by the clock, and by whatever makes one worth it. What it does is in `sweeping`."""

from sqlmodel import Session

from app.workflows.engine import enqueue_in_transaction
from app.workflows.runs import Queue

#: A sweep, and what it finds, goes before a backfill and after what webhooks bring.
SWEEP_PRIORITY = 2


def enqueue_sweep(session: Session, installation_id: int, tick: str) -> str:
    """At most one sweep of an installation per tick; returns its workflow's id."""
    workflow_id = f"sweep:{installation_id}:{tick}"
    enqueue_in_transaction(
        session,
        "sweep_installation",
        workflow_id,
        installation_id,
        tick,
        queue=Queue.GITHUB,
        partition=installation_id,
        priority=SWEEP_PRIORITY,
    )
    return workflow_id
