"""The nightly question: has any installation approved enough new Examples to be worth a learning round?"""

import asyncio
from datetime import datetime

from sqlmodel import Session

from app.domain.examples import ExampleKind
from app.store.database import reading
from app.store.deliveries import select_installations
from app.store.learning import load_newest_snapshot, select_approvals_in_force, select_approved_examples
from app.workflows.context import services
from app.workflows.engine import scheduled, start, step
from app.workflows.runs import Queue

#: Approved comments below which nothing is trained: fewer are few-shot material.
LEAST_COMMENTS = 30
#: New approved comments since the last snapshot that are worth a round.
LEAST_NEW = 20


def decide_due(*, approved: int, new: int, learned_before: bool) -> bool:
    """Whether a learning round is worth its hours."""
    return approved >= LEAST_COMMENTS and (new >= LEAST_NEW or not learned_before)


@scheduled("retraining", "0 2 * * *")
async def _retrain(at: datetime) -> None:
    for installation_id in await list_due():
        await start_round(installation_id, at.date().isoformat())


@step()
async def list_due() -> list[int]:
    """Active installations with enough new approved comments."""
    return await asyncio.to_thread(_list_due)


def _list_due() -> list[int]:
    with reading(services().database) as session:
        return [row.id for row in select_installations(session) if _is_due(session, row.id)]


def _is_due(session: Session, installation_id: int) -> bool:
    newest = load_newest_snapshot(session, installation_id)
    approvals = select_approvals_in_force(session, installation_id)
    comments = [
        row
        for row in select_approved_examples(session, installation_id)
        if row.kind == ExampleKind.REVIEW_COMMENT.value
    ]
    new = [row for row in comments if newest is None or approvals[row.hash].created_at > newest.created_at]
    return decide_due(approved=len(comments), new=len(new), learned_before=newest is not None)


@step()
async def start_round(installation_id: int, day: str) -> str:
    """Enqueue one round a day at most; rounds wait for each other."""
    workflow_id = f"learn:{installation_id}:{day}"
    await asyncio.to_thread(start, "learn", workflow_id, installation_id, queue=Queue.GPU)
    return workflow_id
