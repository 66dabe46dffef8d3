"""The durable learning round of one installation: snapshot → training child → gate → registry → serving → pointer.

The training run's folder is named after its snapshot, base and configuration, so a round that is killed goes on from
the trainer's last checkpoint, a round over the same approved Examples finds its answer ready, and another base or
configuration starts a run of its own.
"""

import asyncio
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue
from sqlmodel import Session

from app.dataset.building import build_snapshot
from app.domain.adapters import CHILD_LOCK, AdapterManifest, AdapterState
from app.domain.base import content_hash
from app.domain.errors import Refused, UserError
from app.domain.evals import GateDecision
from app.domain.external import ExternalVersion
from app.domain.pinned import PINNED
from app.domain.prompt import PROMPT_VERSION
from app.inference.adapter_control import AdapterControl
from app.inference.front import READ_KEY, read_front
from app.runners.children import run_child
from app.runners.hosted import EXTERNAL
from app.runners.progress import TrainingProgress
from app.runners.returned import verify_returned
from app.runners.running import Listener, TrainingTask
from app.store.database import reading, writing
from app.store.learning import (
    append_audit,
    load_pointer,
    move_pointer,
    save_adapter_state,
    save_adapter_version,
    save_snapshot,
    save_training_run,
    select_approved_examples,
    select_approved_written,
)
from app.store.tables import AdapterVersionRow, SnapshotRow, TrainingRunRow
from app.workflows.context import services
from app.workflows.engine import current_workflow_id, load_run, progress, step, transaction, workflow
from app.workflows.runs import State
from app.workflows.triggers import Trigger

#: Lines of a failed child's output that its error shows.
_OUTPUT_TAIL = 15
_log = logging.getLogger(__name__)
#: What a configuration leaves out is read from here.
_DEFAULTS = Path(__file__).parents[2] / "training" / "configs" / "default.yaml"


@workflow("learn")
async def learn(installation_id: int, reason: str = Trigger.OPERATOR.value) -> str:
    """One round, begun for `reason`. Returns promote, hold, reject, quarantined when the served adapter failed its
    probe, or external when a hosted service made what no gate of ours has measured."""
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


@step()
async def _take_snapshot(installation_id: int) -> str:
    """Freeze the approved Examples into a folder; the same Examples give the same folder and id."""

    def build() -> str:
        with reading(services().database) as session:
            rows = select_approved_examples(session, installation_id)
            written = select_approved_written(session, installation_id)
        path, manifest = build_snapshot(rows, installation_id, services().data / "snapshots", written=written)
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


def name_run(installation_id: int, snapshot_id: str, texts: Sequence[str]) -> str:
    """`texts` are those of base.json and of the configuration files; another text is another run."""
    short = content_hash("run1", [*texts, PROMPT_VERSION]).split(":")[1][:8]
    return f"{installation_id}-{snapshot_id.replace(':', '-')}-{short}"


def _name_run(installation_id: int, snapshot_id: str) -> str:
    files = [services().base / "base.json", _DEFAULTS, services().training_config]
    try:
        texts = [path.read_text(encoding="utf-8") for path in files if path is not None]
    except OSError as error:
        raise UserError(
            f"expected the base and the training configuration to be readable, got {error}; make the base with "
            "`python -m training base`, and check UNDERSTUDY_BASE and UNDERSTUDY_TRAINING_CONFIG"
        ) from error
    return name_run(installation_id, snapshot_id, texts)


def _run_folder(run: str) -> Path:
    return services().data / "runs" / run


def _snapshot_folder(snapshot_id: str) -> Path:
    return services().data / "snapshots" / snapshot_id.replace(":", "-")


@step()
async def _train(installation_id: int, snapshot_id: str, reason: str = Trigger.OPERATOR.value) -> str:
    """Locator, AcceptanceFilter, adapter, evaluation and gate, wherever the runner computes them; they go on by
    themselves after a kill. What came back is proven here before anything is read of it.

    Returns the run's name: base and configuration may be others by the next step, after a restart.
    """
    run = await asyncio.to_thread(_name_run, installation_id, snapshot_id)
    task = _describe_task(installation_id, snapshot_id, run)

    def note(state: str) -> None:
        row = TrainingRunRow(
            id=current_workflow_id(),
            installation_id=installation_id,
            snapshot_id=snapshot_id,
            state=state,
            path=str(task.out),
            ended_at=None if state == "running" else datetime.now(UTC),
            detail={"reason": reason, **_read_external(task.out)},
        )
        with writing(services().database) as session:
            save_training_run(session, row)

    note("running")
    try:
        await services().runner.run(task, _listener(run, reason))
        if not (task.out / EXTERNAL).is_file():
            await asyncio.to_thread(verify_returned, task.out, task.snapshot, task.base)
    except (UserError, Refused):
        note("failed")
        raise
    except asyncio.CancelledError:
        # The service may also be going down: then what runs elsewhere goes on, and is found again.
        if await asyncio.to_thread(_is_cancelled, current_workflow_id()):
            await services().runner.cancel(task)
            note("cancelled")
        raise
    note("succeeded")
    return run


def _describe_task(installation_id: int, snapshot_id: str, run: str) -> TrainingTask:
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
    name = None if pointer is None else pointer.adapter_name
    config = services().training_config
    return TrainingTask(
        name=run,
        snapshot=_snapshot_folder(snapshot_id),
        base=services().base,
        out=_run_folder(run),
        config=None if config is None else config.absolute(),
        current=None if name is None else _adapter_folder(name),
        pinned=(services().data / PINNED / f"{installation_id}.json").absolute(),
    )


def _is_cancelled(workflow_id: str) -> bool:
    found = load_run(workflow_id)
    return found is not None and found.state is State.CANCELLED


def _listener(run: str, reason: str) -> Listener:
    workflow_id = current_workflow_id()

    async def tell(newest: TrainingProgress) -> None:
        figures = newest.model_dump(exclude={"stage"})
        try:
            await progress(stage="training", part=newest.stage, run=run, reason=reason, **figures)
        except sa.exc.SQLAlchemyError:  # hours of training are worth more than a line about them
            _log.warning("the progress of %s could not be saved", run)

    async def record(action: str, detail: Mapping[str, JsonValue]) -> None:
        key = f"{workflow_id}:{action}:{content_hash('act1', dict(detail)).split(':')[1][:16]}"

        def save() -> None:
            with writing(services().database) as session:
                append_audit(
                    session, actor="understudy", action=action, subject=run, idempotency_key=key, detail=dict(detail)
                )

        await asyncio.to_thread(save)

    return Listener(progress=tell, act=record)


def _read_external(run: Path) -> dict[str, Any]:
    """What a hosted service made of this run, as the row of the run keeps it; empty for every other run."""
    try:
        version = ExternalVersion.model_validate_json((run / EXTERNAL).read_bytes())
    except FileNotFoundError:
        return {}
    return {"external": version.model_dump(mode="json")}


def _adapter_folder(name: str) -> Path:
    return services().data / "adapters" / name


@step()
async def _register(installation_id: int, snapshot_id: str, name: str) -> list[str]:
    """Copy the version to its immutable place and record it with its decision. Returns its name and the verdict.

    What a hosted service keeps is no AdapterVersion and stays out of the registry: no pointer can ever name it.
    """

    def register() -> list[str]:
        run = _run_folder(name)
        external = _read_external(run).get("external")
        if external is not None:
            return [external["model"], "external"]
        decision = GateDecision.model_validate_json((run / "decision.json").read_text())
        manifest = AdapterManifest.model_validate_json((run / "version" / "manifest.json").read_text())
        place = _adapter_folder(manifest.name)
        if not place.exists():
            passing = place.with_name(f".{manifest.name}.copying")
            shutil.rmtree(passing, ignore_errors=True)
            shutil.copytree(run / "version", passing)
            passing.rename(place)
        with writing(services().database) as session:
            save_adapter_version(
                session,
                AdapterVersionRow(
                    name=manifest.name,
                    installation_id=installation_id,
                    snapshot_id=snapshot_id,
                    state=AdapterState.CANDIDATE.value,
                    path=str(place),
                    manifest=manifest.model_dump(mode="json"),
                    decision=decision.model_dump(mode="json"),
                ),
            )
        return [manifest.name, decision.verdict]

    return await asyncio.to_thread(register)


@step()
async def _load(installation_id: int, name: str) -> str | None:
    """Load into the server and probe it there. Returns why it was refused, None when it serves what was trained."""
    front = read_front(services().serving)
    try:
        async with AdapterControl(front.url, front.control_key) as control:
            report = await control.load(name, _adapter_folder(name))
    except Refused as error:
        return str(error)
    place = _adapter_folder(name)
    (services().data / "probes").mkdir(exist_ok=True)
    (services().data / "probes" / f"{place.name}.json").write_text(json.dumps(report.model_dump(mode="json")))
    return None


@step()
async def _confirm(installation_id: int, snapshot_id: str, run: str) -> str:
    """Base and version measured again as they are served. Returns the verdict with the server's figures in it."""
    folder, front = _run_folder(run), read_front(services().serving)
    arguments = ["-m", "training", "confirm", "--run", folder, "--snapshot", _snapshot_folder(snapshot_id)]
    arguments += ["--signing-key", services().data / "keys" / "release.pem"]
    arguments += ["--base", services().base, "--endpoint", front.url, "--key-file", services().serving / READ_KEY]
    lines: list[str] = []
    code = await run_child(
        [str(item) for item in arguments],
        log=folder / "confirm.log",
        on_line=lines.append,
        lock=folder / CHILD_LOCK,
    )
    if code != 0:
        raise UserError("measuring the served version ended with an error:\n" + "\n".join(lines[-_OUTPUT_TAIL:]))
    decision = GateDecision.model_validate_json((folder / "served.json").read_text())
    if decision.adapter is None:
        raise UserError(f"expected {folder}/served.json to name an adapter, it names none")
    with writing(services().database) as session:
        found = decision.model_dump(mode="json")
        save_adapter_state(session, installation_id, decision.adapter, AdapterState.CANDIDATE, found)
    return decision.verdict


@step()
async def _unload(installation_id: int, name: str) -> None:
    """A version that is not used takes no place in the server; the one in use stays whatever a new round says."""
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
    if pointer is not None and pointer.adapter_name == name:
        return
    front = read_front(services().serving)
    async with AdapterControl(front.url, front.control_key) as control:
        try:
            await control.unload(name)
        except Refused as error:
            if error.reason != "unknown_name":  # it was never loaded, or this step ran before
                raise


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
    elif verdict not in ("hold", "external"):
        save_adapter_state(session, installation_id, name, AdapterState.REJECTED)
    append_audit(
        session,
        actor="gate",
        action=f"adapter.{verdict}",
        subject=name,
        idempotency_key=f"{current_workflow_id()}:settle",
        detail=detail,
    )
