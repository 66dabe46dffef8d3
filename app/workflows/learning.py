"""The durable learning round of one installation: snapshot → training child → gate → registry → serving → pointer.

Steps are named in the journal by their functions here; what they do is in `training_runs` and `candidates`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from app.dataset.building import build_snapshot
from app.dataset.findings import render_finding_outcomes
from app.domain.adapters import AdapterState
from app.domain.errors import RetryLater
from app.store.database import reading, writing
from app.store.feedback import select_spoken_with_feedback
from app.store.learning import append_audit, select_approved_examples, select_approved_written
from app.store.rounds import load_pointer, move_pointer, save_adapter_state, save_snapshot
from app.store.tables import SnapshotRow
from app.workflows import engine
from app.workflows.candidates import WITHHELD, confirm_version, load_version, register_version, unload_version
from app.workflows.consent import select_without_consent
from app.workflows.context import services
from app.workflows.engine import current_workflow_id, progress, step, transaction, workflow
from app.workflows.runs import State
from app.workflows.training_runs import train
from app.workflows.triggers import Trigger

#: How long a round waits before it looks again whether an earlier one ended; with the attempts of a step, a night.
_TURN_SECONDS = 600.0


@workflow("learn")
async def learn(installation_id: int, reason: str = Trigger.OPERATOR.value) -> str:
    """One round, begun for `reason`. Returns promote, hold, reject, quarantined when the served adapter failed its
    probe, withheld when a person rolled back from this very version, or external when a hosted service made what no
    gate of ours has measured."""
    await progress(stage="snapshot", reason=reason)
    snapshot_id = await _take_snapshot(installation_id)
    await progress(stage="training", reason=reason)
    run = await _train(installation_id, snapshot_id, reason)
    name, verdict = await _register(installation_id, snapshot_id, run)
    if verdict != "promote":
        await _settle(installation_id, name, verdict)
        return verdict
    await progress(stage="loading")
    refusal = await _load(installation_id, name)
    if refusal is None:
        await progress(stage="confirming")
        verdict = await _confirm(installation_id, snapshot_id, run)
    else:
        verdict = "quarantined"
    if verdict != "promote":
        await _unload(installation_id, name)
    await _settle(installation_id, name, verdict, refusal)
    return verdict


def has_to_wait(mine: str, under_way: Sequence[str]) -> bool:
    """Whether an older round is among those under way, oldest first. Pure."""
    return mine in under_way and under_way[0] != mine


@step()
async def _take_snapshot(installation_id: int) -> str:
    """Freeze the approved Examples into a folder; the same Examples give the same folder and id.

    Raises:
        RetryLater: while an earlier round of the installation is under way, wherever: each has to beat what the one
            before it made of the pointer.
    """

    def build() -> str:
        under_way = engine.list_ids((State.PENDING,), prefix=f"learn:{installation_id}:")
        if has_to_wait(current_workflow_id(), under_way):
            raise RetryLater(f"another round of installation {installation_id} is under way", _TURN_SECONDS)
        waiting = select_without_consent(installation_id)
        with reading(services().database) as session:
            rows = [row for row in select_approved_examples(session, installation_id) if row.repository not in waiting]
            spoken = select_approved_written(session, installation_id)
            told = select_spoken_with_feedback(session, installation_id)
        written = [row for row in spoken if row.repository not in waiting]
        outcomes = render_finding_outcomes(told, {(row.repository, row.pull_request or 0) for row in rows})
        folder = services().data / "snapshots"
        path, manifest = build_snapshot(rows, installation_id, folder, written=written, outcomes=outcomes)
        with writing(services().database) as session:
            save_snapshot(
                session,
                SnapshotRow(
                    id=manifest.id,
                    installation_id=installation_id,
                    path=str(path),
                    manifest=manifest.model_dump(mode="json"),
                ),
            )
        return manifest.id

    return await asyncio.to_thread(build)


@step()
async def _train(installation_id: int, snapshot_id: str, reason: str = Trigger.OPERATOR.value) -> str:
    return await train(installation_id, snapshot_id, reason)


@step()
async def _register(installation_id: int, snapshot_id: str, run: str) -> list[str]:
    return await register_version(installation_id, snapshot_id, run)


@step()
async def _load(installation_id: int, name: str) -> str | None:
    return await load_version(installation_id, name)


@step()
async def _confirm(installation_id: int, snapshot_id: str, run: str) -> str:
    return await confirm_version(installation_id, snapshot_id, run)


@step()
async def _unload(installation_id: int, name: str) -> None:
    await unload_version(installation_id, name)


@transaction
def _settle(session: Session, installation_id: int, name: str, verdict: str, refusal: str | None = None) -> None:
    """Move the pointer, or leave it where it is: the served adapter is always one of old and new."""
    detail: dict[str, Any] = {"verdict": verdict} | ({"refusal": refusal} if refusal else {})
    if verdict == "promote":
        before = load_pointer(session, installation_id)
        previous = before.adapter_name if before is not None else None
        if previous is not None and previous != name:
            save_adapter_state(session, installation_id, previous, AdapterState.RETIRED)
        move_pointer(session, installation_id, name)
        save_adapter_state(session, installation_id, name, AdapterState.PROMOTED)
    elif verdict not in ("hold", "external", WITHHELD):
        save_adapter_state(session, installation_id, name, AdapterState.REJECTED)
    append_audit(
        session,
        installation_id=installation_id,
        actor="gate",
        action=f"adapter.{verdict}",
        subject=name,
        idempotency_key=f"{current_workflow_id()}:settle",
        detail=detail,
    )
