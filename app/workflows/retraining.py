"""The nightly question: has any installation approved enough new Examples to be worth a learning round?"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session

from app.domain.adapters import AdapterState
from app.domain.examples import ExampleKind
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import select_installations
from app.store.learning import (
    append_audit,
    load_newest_snapshot,
    load_pointer,
    move_pointer,
    save_adapter_state,
    select_adapter_versions,
    select_approvals_in_force,
    select_approved_examples,
)
from app.store.tables import AdapterVersionRow, InstallationRow
from app.workflows.context import services
from app.workflows.engine import scheduled, start, step
from app.workflows.erased_files import delete_adapters
from app.workflows.runs import Queue

#: Approved comments below which nothing is trained: fewer are few-shot material.
LEAST_COMMENTS = 30
#: New approved comments since the last snapshot that are worth a round.
LEAST_NEW = 20


#: How long weights may live that learned from something erased, when no better adapter replaces them.
STALE_DAYS = 30


def decide_due(*, approved: int, new: int, learned_before: bool, stale: bool = False) -> bool:
    """Whether a learning round is worth its hours. `stale`: what was learned from last was erased since."""
    return approved >= LEAST_COMMENTS and (new >= LEAST_NEW or not learned_before or stale)


def select_condemned(versions: Iterable[AdapterVersionRow], in_use: str | None, now: datetime) -> list[str]:
    """Stale adapters whose weights are to be destroyed: at once when not in use, else after `STALE_DAYS`. Pure."""
    limit = now - timedelta(days=STALE_DAYS)
    return [
        row.name
        for row in versions
        if row.stale_at is not None
        and row.state != AdapterState.ERASED.value
        and (row.name != in_use or row.stale_at < limit)
    ]


@scheduled("retraining", "0 2 * * *")
async def _retrain(at: datetime) -> None:
    for installation_id in await list_due():
        await start_round(installation_id, at.date().isoformat())
    await destroy_stale()


@step()
async def destroy_stale() -> int:
    """Destroy the weights that an erasure condemned; whoever used the last of them reviews nothing until it learned
    anew. Returns how many there were."""
    return sum([await _destroy_of(row.id) for row in await asyncio.to_thread(_list_installations)])


def _list_installations() -> list[InstallationRow]:
    with reading(services().database) as session:
        return select_installations(session)


async def _destroy_of(installation_id: int) -> int:
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
        in_use = None if pointer is None else pointer.adapter_name
        names = select_condemned(select_adapter_versions(session, installation_id), in_use, utc_now())
    if not names:
        return 0
    if in_use in names:
        with writing(services().database) as session:  # first, so that nobody asks for what is being deleted
            move_pointer(session, installation_id, None)
    await delete_adapters(names)
    with writing(services().database) as session:
        for name in names:
            save_adapter_state(session, installation_id, name, AdapterState.ERASED)
            append_audit(
                session,
                actor="understudy",
                action="adapter.erased",
                subject=name,
                idempotency_key=f"adapter.erased:{name}",
                detail={"was_in_use": name == in_use},
            )
    return len(names)


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
    return decide_due(
        approved=len(comments),
        new=len(new),
        learned_before=newest is not None,
        stale=newest is not None and newest.erased_at is not None,
    )


@step()
async def start_round(installation_id: int, day: str) -> str:
    """Enqueue one round a day at most; rounds wait for each other."""
    workflow_id = f"learn:{installation_id}:{day}"
    await asyncio.to_thread(start, "learn", workflow_id, installation_id, queue=Queue.GPU)
    return workflow_id
