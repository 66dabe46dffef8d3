"""What an operator sees and starts."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.adapters import AdapterState
from app.domain.errors import UserError
from app.domain.tenants import Host, split_tenant
from app.store import tables
from app.store.database import reading, writing
from app.store.deliveries import count_outcomes, count_rows, load_installation
from app.store.learning import append_audit, select_audits_of
from app.store.rounds import load_adapter_version, load_pointer, move_pointer, save_adapter_state
from app.store.tables import AdapterVersionRow, InstallationRow
from app.version import read_version
from app.workflows import engine
from app.workflows.backfilling import read_backfills
from app.workflows.candidates import ROLLBACK
from app.workflows.context import services
from app.workflows.erasure_requests import read_erasures
from app.workflows.runs import FAILED, RUNNING, Queue
from app.workflows.triggers import Trigger

#: What is on record of an adapter that began to review.
PROMOTED = ("adapter.promote", ROLLBACK)
_COUNTED = (
    tables.DeliveryRow,
    tables.InstallationRow,
    tables.ExampleRow,
    tables.RejectionRow,
    tables.ApprovalRow,
    tables.AuditRow,
    tables.SnapshotRow,
    tables.TrainingRunRow,
    tables.AdapterVersionRow,
    tables.ReviewRow,
    tables.FindingRow,
)


def read_status() -> dict[str, Any]:
    """Version; installations; rows, deliveries and workflows counted; what runs or failed now, with its progress."""
    with reading(services().database) as session:
        rows = {str(row.__tablename__): count_rows(session, row) for row in _COUNTED}
        outcomes = count_outcomes(session)
        known = session.exec(select(tables.InstallationRow).order_by(col(tables.InstallationRow.id))).all()
        installations = [row.model_dump(include={"id", "host", "account", "state"}) for row in known]
    return {
        "version": read_version(),
        "installations": installations,
        "rows": rows,
        "deliveries": outcomes,
        "workflows": engine.count_states(),
        "backfills": read_backfills(),
        "erasures": read_erasures(),
        "running": [asdict(run) for run in engine.list_runs(RUNNING)],
        "failed": [asdict(run) for run in engine.list_runs(FAILED, limit=20)],
    }


def start_training(installation_id: int) -> str:
    """Enqueue a learning round and return its workflow's id. Rounds wait for each other.

    Raises:
        UserError: for an installation that we never heard of.
    """
    with reading(services().database) as session:
        if load_installation(session, installation_id) is None:
            raise UserError(f"expected a known installation, got {installation_id}; install the App there first")
    workflow_id = f"learn:{installation_id}:{uuid.uuid4().hex[:12]}"
    engine.start("learn", workflow_id, installation_id, Trigger.OPERATOR.value, queue=Queue.GPU)
    return workflow_id


def roll_back(installation_id: int, to: str | None = None, actor: str = "operator") -> str:
    """Let an adapter that reviewed before review again, the last one unless it is named, and return its name. Doing it
    twice without a name comes back.

    Reviews ask for the pointer as they begin, so the next one is by the restored adapter; the server loads it then
    unless it still holds it. Nothing that the gate has not promoted once comes to review by this.

    Raises:
        UserError: when there is no adapter to go back to, or its folder is gone.
    """
    with writing(services().database) as session:
        pointer = load_pointer(session, installation_id)
        if to is None and (pointer is None or pointer.adapter_name is None or pointer.previous is None):
            raise UserError(
                f"expected an adapter that reviewed before in installation {installation_id}, got none; "
                "there is nothing to roll back to"
            )
        left = None if pointer is None else pointer.adapter_name
        restored = to or (pointer.previous if pointer is not None else None) or ""
        reviewed_before = pointer is not None and restored == pointer.previous
        version = load_adapter_version(session, installation_id, restored)
        _check_restorable(session, version, restored, reviewed_before=reviewed_before)
        if restored == left:
            raise UserError(f"expected another adapter than the one that reviews, got {restored}; nothing is changed")
        moved = move_pointer(session, installation_id, restored)
        leaving = None if left is None else load_adapter_version(session, installation_id, left)
        if leaving is not None and leaving.state == AdapterState.PROMOTED.value:  # what the gate refused since stays so
            save_adapter_state(session, installation_id, leaving.name, AdapterState.RETIRED)
        save_adapter_state(session, installation_id, restored, AdapterState.PROMOTED)
        append_audit(
            session,
            installation_id=installation_id,
            actor=actor,
            action=ROLLBACK,
            subject=restored,
            idempotency_key=f"rollback:{installation_id}:{moved.moved_at.isoformat()}",
            detail={"installation_id": installation_id, "left": left},
        )
    return restored


def check_renumbered(database: sa.Engine, hosts: Iterable[Host], was: str | None = None) -> None:
    """A host keeps its number: another server's tenants would pass for its own, those that are suspended or gone, too.

    `was`: the name that the first one had before, if it is the same server.

    Raises:
        UserError: when a number was another server's, of which tenants are still here.
    """
    named = {host.number: host.name for host in hosts}
    with reading(database) as session:
        rows = list(session.exec(select(InstallationRow)))
    for row in rows:
        number = split_tenant(row.id).number
        now = named.get(number)
        if now is None or now == row.host or (number == 0 and row.host == was):
            continue
        cure = f"give {now} a number that none had"
        if number == 0:
            cure = f"if it is the same server under a new name, set UNDERSTUDY_GITHUB_WAS={row.host}; else {cure}"
        raise UserError(
            f"expected the GitHub of number {number} to be {row.host}, whose installation {row.id} is still here, "
            f"got {now}; {cure} in the file of UNDERSTUDY_HOSTS"
        )


def _check_restorable(session: Session, version: AdapterVersionRow | None, name: str, *, reviewed_before: bool) -> None:
    if version is None or not Path(version.path).is_dir():
        raise UserError(f"expected the files of {name}, got no such adapter; restore its folder from a backup")
    if version.stale_at is not None or version.state == AdapterState.ERASED.value:
        raise UserError(f"expected an adapter to go back to, but {name} learned from what was erased since")
    reviewed_before = reviewed_before or any(select_audits_of(session, action, name) for action in PROMOTED)
    if not may_review_again(version.state, reviewed_before=reviewed_before):
        raise UserError(
            f"expected an adapter that the gate promoted once, got {name}, which is {version.state}; "
            "only the gate lets a new one review"
        )


def may_review_again(state: str, *, reviewed_before: bool) -> bool:
    """Whether a person's word is enough for an adapter to review. Pure.

    `reviewed_before`: the gate promoted it, as it was served, at least once. One that a later look refused stays out.
    """
    if state in (AdapterState.PROMOTED.value, AdapterState.RETIRED.value):
        return True
    return state == AdapterState.CANDIDATE.value and reviewed_before
