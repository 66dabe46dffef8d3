"""Keeps every model server equal to the registry: what the pointers name is there, what nobody may use is gone.

A server restores by itself what it served before it was restarted. This is for the rest: a replica that was away when a
version was promoted or erased, or that was started on an empty folder. Reviews need not wait for it; they load what
they miss. One server belongs to one service: what its registry does not know is unloaded.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from app.domain.adapters import AdapterManifest, AdapterState, BaseCheckpoint, check_base
from app.domain.base import Record
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.serving import NEEDS, ServingNeeds, ServingStatus
from app.inference.adapter_control import AdapterControl
from app.inference.replicas import Replica, survey
from app.review.budget import ANSWER_TOKENS, BASE_ANSWER_TOKENS, QUESTION_TOKENS
from app.store.columns import utc_now
from app.store.database import reading
from app.store.rounds import select_registry
from app.store.tables import AdapterPointerRow, AdapterVersionRow
from app.workflows.context import services
from app.workflows.engine import scheduled
from app.workflows.training_runs import DEFAULTS

#: A server that refused an adapter is not asked again for so long; a review may ask it sooner.
_REFUSED_FOR = timedelta(hours=1)
#: Lengths are rounded up to whole ones of these.
_LENGTH_STEP = 256
_log = logging.getLogger(__name__)


class Registry(Record):
    """`wanted`: what the pointers name, by name; `kept`: all that may be served, those included."""

    wanted: dict[str, AdapterVersionRow]
    kept: frozenset[str]


class UpkeepPlan(Record):
    load: tuple[str, ...]
    unload: tuple[str, ...]


def decide_registry(pointers: Sequence[AdapterPointerRow], versions: Sequence[AdapterVersionRow]) -> Registry:
    """Kept are the promoted versions, the ones to go back to, and candidates that are being proven on the server.

    A promoted version that learned from what was erased since reviews on until it is replaced, but nobody goes back
    to one.
    """
    usable = {row.name: row for row in versions if row.state != AdapterState.ERASED.value}
    wanted = {row.adapter_name: usable[row.adapter_name] for row in pointers if row.adapter_name in usable}
    retained = {row.previous for row in pointers if row.previous in usable and usable[row.previous].stale_at is None}
    proving = {name for name, row in usable.items() if _is_proving(row)}
    return Registry(wanted=wanted, kept=frozenset({*wanted, *retained, *proving} - {None}))


def _is_proving(row: AdapterVersionRow) -> bool:
    return row.state == AdapterState.CANDIDATE.value and (row.decision or {}).get("verdict") == "promote"


def decide_upkeep(registry: Registry, status: ServingStatus, now: datetime) -> UpkeepPlan:
    """What one server is to load and to unload."""
    known = {*(adapter.name for adapter in status.adapters), *status.resting}
    refused = {record.name for record in status.quarantined if now - record.at < _REFUSED_FOR}
    return UpkeepPlan(
        load=tuple(sorted(registry.wanted.keys() - known - refused)), unload=tuple(sorted(known - registry.kept))
    )


def decide_needs(registry: Registry, versions: Sequence[AdapterVersionRow], trained: Mapping[str, int]) -> ServingNeeds:
    """`trained`: rank and max_length of the next training, so that what comes of it can be served."""
    kept = [row.manifest for row in versions if row.name in registry.kept]
    longest = max([trained["max_length"], *(manifest["config"].get("max_length", 0) for manifest in kept)])
    by_adapters, by_base = longest + ANSWER_TOKENS, QUESTION_TOKENS + BASE_ANSWER_TOKENS
    return ServingNeeds(
        max_rank=max([trained["rank"], *(manifest["rank"] for manifest in kept)]),
        adapters=len(registry.wanted),
        max_length=-(-max(by_adapters, by_base) // _LENGTH_STEP) * _LENGTH_STEP,
    )


@scheduled("upholding", "*/5 * * * *")
async def _uphold(_at: datetime) -> None:
    await uphold_servers()


async def uphold_servers() -> dict[str, UpkeepPlan]:
    """One round. Returns what was to be done, by server; what could not be done is in the log, and tried again."""
    # First the servers, then the registry: what a server has by now was in the registry before it.
    found = await survey(services().servers, services().serving_hosts)
    registry, needs = await asyncio.to_thread(_read_registry)
    await asyncio.to_thread(_save_needs, needs)
    for away in found.away:
        _log.info("%s is away: %s", away.folder, away.message)
    ready = [replica for replica in found.replicas if replica.status.state == "ready"]
    plans = await asyncio.gather(*(_uphold_one(replica, registry, needs) for replica in ready))
    return {str(replica.folder): plan for replica, plan in zip(ready, plans, strict=True)}


def _read_registry() -> tuple[Registry, ServingNeeds]:
    with reading(services().database) as session:
        pointers, versions = select_registry(session)
    registry = decide_registry(pointers, versions)
    return registry, decide_needs(registry, versions, _read_training())


def _read_training() -> dict[str, int]:
    """Rank and max_length as a training would be run with now; a person's file says only what it changes.

    Raises:
        UserError: when that file can't be read.
    """
    said: dict[str, Any] = {}
    try:
        for path in filter(None, (DEFAULTS, services().training_config)):
            said |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {name: int(said[name]) for name in ("rank", "max_length")}
    except (OSError, yaml.YAMLError, TypeError, ValueError) as error:
        raise UserError(
            f"expected a training configuration with whole numbers for rank and max_length, got {error}; correct "
            "UNDERSTUDY_TRAINING_CONFIG"
        ) from error


def _save_needs(needs: ServingNeeds) -> None:
    """Into every state folder that is there; the server's next start reads it."""
    content = needs.model_dump_json() + "\n"
    for path in (folder / NEEDS for folder in services().servers if folder.is_dir()):
        if not path.is_file() or path.read_text() != content:
            beside = path.with_name(f".{NEEDS}.writing")
            beside.unlink(missing_ok=True)
            with beside.open("x") as stream:  # never through a link that was laid there
                stream.write(content)
            beside.replace(path)


async def _uphold_one(replica: Replica, registry: Registry, needs: ServingNeeds) -> UpkeepPlan:
    plan = decide_upkeep(registry, replica.status, utc_now())
    if replica.status.max_rank < needs.max_rank:
        _log.error(
            "%s holds ranks up to %d, %d is needed: restart it, and it makes room by itself",
            *(replica.folder, replica.status.max_rank, needs.max_rank),
        )
    try:
        async with AdapterControl(replica.front.url, replica.front.control_key) as control:
            base = (await control.card()).base
            for name in plan.unload:
                await control.ensure_unloaded(name)
            for name in plan.load:
                await _load(control, registry.wanted[name], base)
    except (RetryLater, Refused) as error:
        _log.warning("%s could not be made equal to the registry: %s", replica.folder, error)
    return plan


async def _load(control: AdapterControl, version: AdapterVersionRow, base: BaseCheckpoint) -> None:
    """One that is refused does not keep the others from being loaded."""
    try:
        check_base(AdapterManifest.model_validate(version.manifest), base)
        await control.load(version.name, Path(version.path))
    except Refused as error:
        _log.error("a server refuses %s: %s", version.name, error)
