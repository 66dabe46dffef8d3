"""What runs by the clock: forgetting what is old, and asking GitHub again for what we missed."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.dataset.erasing import remove_folder
from app.domain.errors import RetryLater, UserError
from app.domain.tenants import split_tenant
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import delete_deliveries, erase_bodies, select_installations, select_known_guids
from app.store.executors import delete_ended
from app.store.feedback import delete_asks
from app.store.rounds import select_outdated_runs
from app.store.sessions import delete_expired
from app.workflows import engine
from app.workflows.context import services
from app.workflows.engine import scheduled, step
from app.workflows.erased_files import remove_entry
from app.workflows.runs import FAILED, State, WorkflowRun

_log = logging.getLogger(__name__)
_MOST_ATTEMPTS = 10
_REVIVED_SECONDS = 86_400.0
#: Nobody works on a half made folder for longer.
_LEFT_SECONDS = 86_400.0
#: Failed workflows that one revival looks at.
_LOOKED_AT = 1_000


@scheduled("retention", "17 3 * * *")
async def _retain(at: datetime) -> None:
    """Forget what is old; docs/operating.md says what is kept for how long."""
    await forget_before((at - timedelta(days=services().retention_days)).isoformat())
    await forget_records((at - timedelta(days=services().records_days)).isoformat())
    await remove_leftovers(at.timestamp() - _LEFT_SECONDS)


@step()
async def forget_before(moment: str) -> int:
    """Returns how many workflows were forgotten. `moment` is in ISO 8601."""

    def forget() -> int:
        before = datetime.fromisoformat(moment)
        forgotten = 0
        while ids := engine.delete_finished(before):
            forgotten += len(ids)
        engine.delete_orphans()
        with writing(services().database) as session:
            erase_bodies(session, before)
            delete_ended(session, before)
            delete_expired(session, utc_now())
        return forgotten

    return await asyncio.to_thread(forget)


@step()
async def forget_records(moment: str) -> dict[str, int]:
    """Returns what was forgotten, counted. `moment` is in ISO 8601."""

    def forget() -> dict[str, int]:
        before = datetime.fromisoformat(moment)
        failed = 0
        while ids := engine.delete_finished(before, states=FAILED):
            failed += len(ids)
        with writing(services().database) as session:
            found = {"deliveries": delete_deliveries(session, before), "asks": delete_asks(session, before)}
        with reading(services().database) as session:
            runs = [Path(row.path) for row in select_outdated_runs(session, before)]
        return found | {"failed": failed, "runs": sum(map(remove_folder, runs))}

    return await asyncio.to_thread(forget)


@step()
async def remove_leftovers(before_seconds: float) -> int:
    """Folders that processes left half made when they were killed before the moment, in seconds since 1970."""

    def remove() -> int:
        places = [services().data / name for name in ("snapshots", "exports", "adapters")]
        left = [path for place in places for path in place.glob(".*") if path.stat().st_mtime < before_seconds]
        return sum(map(remove_entry, left))

    return await asyncio.to_thread(remove)


@scheduled("revival", "37 * * * *")
async def _revive(at: datetime) -> None:
    """What failed because GitHub or a model server was away for longer than a step waits is begun again."""
    await revive(at.timestamp())


@step()
async def revive(now_seconds: float) -> list[str]:
    """Returns the ids of the workflows that were begun again. What one run began, a second one finds running."""

    def begin() -> list[str]:
        begun = []
        for workflow_id in select_revived(engine.list_runs((State.ERROR,), limit=_LOOKED_AT), now_seconds):
            try:
                engine.retry(workflow_id)
            except UserError as error:  # begun by a person, or erased, since it was listed
                _log.info("%s is not begun again: %s", workflow_id, error)
            else:
                begun.append(workflow_id)
        return begun

    return await asyncio.to_thread(begin)


def select_revived(runs: Iterable[WorkflowRun], now_seconds: float) -> list[str]:
    """Those that failed of something that passes and were asked for within the last day, oldest first. Pure.

    Later nobody waits for it any more, and what keeps failing would be tried for ever.
    """
    fresh = [run for run in runs if run.transient and run.created_at_seconds > now_seconds - _REVIVED_SECONDS]
    return [run.id for run in sorted(fresh, key=lambda run: run.created_at_seconds)]


@scheduled("redelivery", "*/5 * * * *")
async def _redeliver(_at: datetime) -> None:
    """GitHub never retries by itself: ask each for every failed delivery that is not stored here."""
    for host in services().hosts:
        await request_missed(host.number)


@step()
async def request_missed(number: int = 0) -> int:
    """Returns how many deliveries of a host were asked for. One that was stored although GitHub gave up on it is not.

    A GitHub that does not answer is asked at the next tick, for the others must not wait for it.
    """
    with reading(services().database) as session:
        tenants = [row.id for row in select_installations(session) if split_tenant(row.id).number == number]
    if not tenants:
        return 0
    try:
        return await _request_missed(tenants[0])
    except RetryLater as error:
        _log.warning("what host %d failed to deliver is asked for later: %s", number, error)
        return 0


async def _request_missed(tenant_id: int) -> int:
    github = services().github(tenant_id)  # the delivery log is the App's; any of its clients there can read it
    failed = await github.fetch_failed_deliveries()
    host = services().host_of(tenant_id).name
    missed = select_missed(failed, _known(host, {str(attempt["guid"]) for attempt in failed}))
    for delivery_id in missed:
        await github.redeliver(delivery_id)
    return len(missed)


def _known(host: str, guids: set[str]) -> set[str]:
    prefix = f"{host}:"
    with reading(services().database) as session:
        return {guid.removeprefix(prefix) for guid in select_known_guids(session, [prefix + guid for guid in guids])}


def select_missed(failed: list[dict[str, Any]], known: set[str]) -> list[int]:
    """The newest attempt's id for each GUID that is not stored here, oldest first. Pure.

    One that failed `_MOST_ATTEMPTS` times is given up: it is we who refuse it, and asking again changes nothing.
    """
    attempts: dict[str, list[int]] = {}
    for attempt in sorted(failed, key=lambda item: int(item["id"])):
        attempts.setdefault(attempt["guid"], []).append(int(attempt["id"]))
    return [ids[-1] for guid, ids in attempts.items() if guid not in known and len(ids) < _MOST_ATTEMPTS]
