"""One training of one installation: its folder, its task for the runner, and what is on record of it.

The folder is named after snapshot, base and configuration, so a round that is killed goes on from the trainer's last
checkpoint, a round over the same approved Examples finds its answer ready, and another base or configuration starts a
run of its own.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue

from app.domain.base import content_hash
from app.domain.errors import Refused, UserError
from app.domain.external import ExternalVersion
from app.domain.pinned import PINNED
from app.domain.prompt import PROMPT_VERSION
from app.runners.hosted import EXTERNAL
from app.runners.progress import TrainingProgress
from app.runners.returned import verify_returned
from app.runners.running import Listener, TrainingTask
from app.store.database import reading, writing
from app.store.learning import append_audit
from app.store.rounds import load_pointer, save_training_run
from app.store.tables import TrainingRunRow
from app.workflows.context import services
from app.workflows.engine import current_workflow_id, load_run, progress
from app.workflows.runs import State

_log = logging.getLogger(__name__)
#: What a configuration leaves out is read from here.
DEFAULTS = Path(__file__).parents[2] / "training" / "configs" / "default.yaml"


def run_folder(run: str) -> Path:
    return services().data / "runs" / run


def snapshot_folder(snapshot_id: str) -> Path:
    return services().data / "snapshots" / snapshot_id.replace(":", "-")


def adapter_folder(name: str) -> Path:
    return services().data / "adapters" / name


async def train(installation_id: int, snapshot_id: str, reason: str) -> str:
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
            detail={"reason": reason, **read_external(task.out)},
        )
        with writing(services().database) as session:
            save_training_run(session, row)

    note("running")
    try:
        await services().runner.run(task, _listener(installation_id, run, reason))
        if not services().runner.keeps_weights:
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


def name_run(installation_id: int, snapshot_id: str, texts: Sequence[str]) -> str:
    """`texts` are those of base.json and of the configuration files; another text is another run."""
    short = content_hash("run1", [*texts, PROMPT_VERSION]).split(":")[1][:8]
    return f"{installation_id}-{snapshot_id.replace(':', '-')}-{short}"


def _name_run(installation_id: int, snapshot_id: str) -> str:
    files = [services().base / "base.json", DEFAULTS, services().training_config, services().gate_policy]
    files.append(services().judge)
    try:
        texts = [path.read_text(encoding="utf-8") for path in files if path is not None]
    except OSError as error:
        raise UserError(
            f"expected the base and the training configuration to be readable, got {error}; make the base with "
            "`.venv/bin/python -m training base`, and check UNDERSTUDY_BASE, UNDERSTUDY_TRAINING_CONFIG, "
            "UNDERSTUDY_GATE_POLICY and UNDERSTUDY_JUDGE"
        ) from error
    return name_run(installation_id, snapshot_id, texts)


def _describe_task(installation_id: int, snapshot_id: str, run: str) -> TrainingTask:
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
    name = None if pointer is None else pointer.adapter_name
    config, policy, judge = (
        None if path is None else path.absolute()
        for path in (services().training_config, services().gate_policy, services().judge)
    )
    return TrainingTask(
        name=run,
        snapshot=snapshot_folder(snapshot_id),
        base=services().base,
        out=run_folder(run),
        config=config,
        policy=policy,
        judge=judge,
        current=None if name is None else adapter_folder(name),
        pinned=(services().data / PINNED / f"{installation_id}.json").absolute(),
    )


def _is_cancelled(workflow_id: str) -> bool:
    found = load_run(workflow_id)
    return found is not None and found.state is State.CANCELLED


def _listener(installation_id: int, run: str, reason: str) -> Listener:
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
                    session,
                    installation_id=installation_id,
                    actor="understudy",
                    action=action,
                    subject=run,
                    idempotency_key=key,
                    detail=dict(detail),
                )

        await asyncio.to_thread(save)

    return Listener(progress=tell, act=record)


def read_external(run: Path) -> dict[str, Any]:
    """What a hosted service made of this run, as the row of the run keeps it; empty for every other run.

    Only a runner that keeps weights may leave such a file: another's would pass for a round that needs no proof.
    """
    if not services().runner.keeps_weights:
        return {}
    try:
        version = ExternalVersion.model_validate_json((run / EXTERNAL).read_bytes())
    except FileNotFoundError:
        return {}
    return {"external": version.model_dump(mode="json")}
