"""What a learning round left behind, read from its folder and the store: figures for the story and the reports."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.domain.errors import UserError
from app.domain.evals import EvalReport, GateDecision
from app.store.database import reading
from app.store.rounds import load_pointer, select_adapter_versions, select_training_runs


def find_run(database: Engine, installation_id: int) -> Path | None:
    """The folder of the newest training run."""
    with reading(database) as session:
        runs = select_training_runs(session, installation_id)
    return Path(runs[0].path) if runs else None


def require_decision(database: Engine, installation_id: int, status: dict[str, Any]) -> Path:
    """The newest run's folder, after its end. `status` is what the service says of itself.

    Raises:
        UserError: when the run left no decision, with the reason the service gives.
    """
    run = find_run(database, installation_id)
    if run is None or not (run / "decision.json").exists():
        failed = status["failed"]
        reason = failed[0]["error"] if failed else "no training run was started"
        raise UserError(f"the learning round ended without a decision: {reason}")
    return run


def read_progress(run: Path | None) -> str:
    """The newest line of a run's progress, for a person; half a line (the writer is at it) is skipped."""
    path = None if run is None else run / "progress.jsonl"
    if path is None or not path.exists():
        return "freezing the snapshot"
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        try:
            return _sentence(json.loads(line))
        except json.JSONDecodeError:
            continue
    return "starting"


def _sentence(row: dict[str, Any]) -> str:
    parts = [row.get("text") or f"{row['stage']} {row['step']}/{row['total']}"]
    if row.get("loss") is not None:
        parts.append(f"loss {row['loss']:.3f}")
    if row.get("tokens_per_second"):
        parts.append(f"{row['tokens_per_second']:.0f} tokens/s")
    if row.get("eta_seconds") is not None:
        parts.append(f"{row['eta_seconds']:.0f} s left")
    return " · ".join(parts)


def read_reports(run: Path) -> tuple[GateDecision, EvalReport, EvalReport]:
    """The decision, the candidate's report and the baseline's."""
    return (
        GateDecision.model_validate_json((run / "decision.json").read_text()),
        EvalReport.model_validate_json((run / "reports" / "candidate.json").read_text()),
        EvalReport.model_validate_json((run / "reports" / "baseline.json").read_text()),
    )


def read_registry(database: Engine, installation_id: int) -> dict[str, Any]:
    """Which adapter reviews, and the state of every version."""
    with reading(database) as session:
        pointer = load_pointer(session, installation_id)
        versions = select_adapter_versions(session, installation_id)
    return {
        "serving": pointer.adapter_name if pointer else None,
        "versions": {version.name: version.state for version in versions},
    }
