"""The nightly question, and that of every schedule: is a learning round of any installation worth its hours?"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from app.domain.adapters import AdapterState, BaseCheckpoint
from app.domain.examples import ExampleKind
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import select_installations
from app.store.learning import append_audit, select_approvals_in_force, select_approved_examples
from app.store.rounds import (
    load_newest_snapshot,
    load_pointer,
    move_pointer,
    save_adapter_state,
    select_adapter_versions,
)
from app.store.tables import AdapterVersionRow, InstallationRow
from app.workflows.context import services
from app.workflows.engine import scheduled, start, step
from app.workflows.erased_files import delete_adapters
from app.workflows.runs import Queue
from app.workflows.triggers import Standing, count_territories, decide_due, is_scheduled

_SCHEDULE_MINUTES = 5

#: How long weights may live that learned from something erased, when no better adapter replaces them.
STALE_DAYS = 30


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
    for installation_id, reason in await list_due_rounds():
        await start_round(installation_id, at.date().isoformat(), reason)
    await destroy_stale()


@scheduled("schedules", f"*/{_SCHEDULE_MINUTES} * * * *")
async def _keep_schedules(at: datetime) -> None:
    """Rounds of installations with a schedule of their own. What falls due while no process runs waits for its next
    time."""
    for installation_id, reason in await list_scheduled_rounds(at.isoformat()):
        await start_round(installation_id, at.isoformat(timespec="minutes"), reason)


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
                installation_id=installation_id,
                actor="understudy",
                action="adapter.erased",
                subject=name,
                idempotency_key=f"adapter.erased:{name}",
                detail={"was_in_use": name == in_use},
            )
    return len(names)


@step()
async def list_due_rounds() -> list[list[Any]]:
    """Pairs of an active installation and why it is worth a round."""
    return await asyncio.to_thread(_list_due, None)


@step()
async def list_scheduled_rounds(moment: str) -> list[list[Any]]:
    """The same for those whose schedule named a moment in the minutes up to `moment`, in ISO 8601."""
    return await asyncio.to_thread(_list_due, datetime.fromisoformat(moment))


def _list_due(moment: datetime | None) -> list[list[Any]]:
    """At a `moment` only installations whose schedule says so; without one, all of them for every other reason."""
    found: list[list[Any]] = []
    served = _load_served()
    with reading(services().database) as session:
        for row in select_installations(session):
            if moment is not None and not _is_scheduled(row.id, moment):
                continue
            due = decide_due(_load_standing(session, row.id, served), scheduled=moment is not None)
            if due is not None:
                found.append([row.id, str(due)])
    return found


def _is_scheduled(installation_id: int, moment: datetime) -> bool:
    cron = services().schedules.get(installation_id)
    return cron is not None and is_scheduled(cron, moment - timedelta(minutes=_SCHEDULE_MINUTES), moment)


def _load_served() -> BaseCheckpoint | None:
    """None where no base is: then the round itself says what to do."""
    try:
        return BaseCheckpoint.model_validate_json((services().base / "base.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _load_standing(session: Session, installation_id: int, served: BaseCheckpoint | None) -> Standing:
    newest = load_newest_snapshot(session, installation_id)
    approvals = select_approvals_in_force(session, installation_id)
    comments = [
        row
        for row in select_approved_examples(session, installation_id)
        if row.kind == ExampleKind.REVIEW_COMMENT.value
    ]
    new = {row.hash for row in comments if newest is None or approvals[row.hash].created_at > newest.created_at}
    versions = select_adapter_versions(session, installation_id)
    return Standing(
        known=count_territories(row.payload["path"] for row in comments if row.hash not in new),
        recent=count_territories(row.payload["path"] for row in comments if row.hash in new),
        learned_before=newest is not None,
        stale=newest is not None and newest.erased_at is not None,
        served=served,
        learned=tuple(BaseCheckpoint.model_validate(row.manifest["base"]) for row in versions),
    )


@step()
async def start_round(installation_id: int, moment: str, reason: str) -> str:
    """Enqueue one round, at most one for each moment; rounds wait for each other. Why it began is on record."""
    workflow_id = f"learn:{installation_id}:{moment}"

    def begin() -> None:
        with writing(services().database) as session:
            append_audit(
                session,
                installation_id=installation_id,
                actor="understudy",
                action="round.begun",
                subject=workflow_id,
                idempotency_key=f"round.begun:{workflow_id}",
                detail={"installation_id": installation_id, "reason": reason},
            )
        start("learn", workflow_id, installation_id, reason, queue=Queue.GPU)

    await asyncio.to_thread(begin)
    return workflow_id
