"""A finished run folder, read whole: what the page and the card tell, and what `verify` proves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.adapters import AdapterManifest
from app.domain.errors import UserError
from app.domain.evals import Arm, EvalReport, GateDecision, GatePolicy, SpotCheck
from training.evaluation.naming import CONTROLS
from training.process.files import load_record

#: The candidate's report and those it is held against, as `training/run.py` names them.
CANDIDATE = "candidate"
BASELINES = ("baseline", "current", *CONTROLS)
POLICY, SPOT_CHECK = "policy.json", "spot-check.json"
#: What the server that will answer made of the same rows, and the decision with that in it.
SERVED, SERVED_DECISION = "served", "served.json"


@dataclass(frozen=True)
class Step:
    """One line of the training's progress."""

    step: int
    loss: float
    tokens_per_second: float | None


@dataclass(frozen=True)
class RunFolder:
    """Everything a round left. `reports` by file name without `.json`."""

    path: Path
    decision: GateDecision
    manifest: AdapterManifest
    reports: dict[str, EvalReport]
    training: dict[str, Any]
    seconds: dict[str, float]
    steps: tuple[Step, ...]
    spot: SpotCheck | None
    #: as measured on the server, once it was; `decision` is then the one with the server's figures in it
    served: dict[str, EvalReport]
    #: the trainer's own decision
    trained: GateDecision
    #: the thresholds that were fixed before the first figure; None where the file is gone
    policy: GatePolicy | None

    @property
    def candidate(self) -> EvalReport:
        return self.reports[CANDIDATE]

    @property
    def baselines(self) -> list[EvalReport]:
        return select_baselines(self.reports)

    @property
    def arms(self) -> dict[str, Arm]:
        """Every arm of every report, the candidate's first."""
        found: dict[str, Arm] = {}
        for report in (self.candidate, *self.baselines):
            for name, arm in report.arms.items():
                found.setdefault(name, arm)
        return found


def open_run(path: Path) -> RunFolder:
    """Read a run folder.

    Raises:
        UserError: when the round has not come to its decision, naming what is missing.
    """
    reports = _read_reports(path / "reports")
    if CANDIDATE not in reports:
        raise UserError(
            f"expected a finished run in {path}, found no reports/{CANDIDATE}.json; run `training run` first"
        )
    trained = load_record(path / "decision.json", GateDecision, what="the gate's decision")
    confirmed = path / SERVED_DECISION
    return RunFolder(
        path=path,
        decision=load_record(confirmed, GateDecision, what="a decision") if confirmed.is_file() else trained,
        trained=trained,
        policy=load_record(path / POLICY, GatePolicy, what="a gate policy") if (path / POLICY).is_file() else None,
        served=_read_reports(path / SERVED) if confirmed.is_file() else {},
        manifest=load_record(path / "version" / "manifest.json", AdapterManifest, what="an adapter's manifest"),
        reports=reports,
        training=_read_object(path / "sft.json"),
        seconds=_read_object(path / "run.json").get("seconds", {}),
        steps=_read_steps(path / "progress.jsonl"),
        spot=load_record(path / SPOT_CHECK, SpotCheck, what="a spot check") if (path / SPOT_CHECK).is_file() else None,
    )


def read_baselines(path: Path) -> list[EvalReport]:
    """What the candidate of this run folder is held against, wherever it is decided: before there is a decision, too.

    Raises:
        UserError: when one of them is no report.
    """
    return select_baselines(_read_reports(path / "reports"))


def select_baselines(reports: Mapping[str, EvalReport]) -> list[EvalReport]:
    """The base, then the version in use and the trained controls where they were measured; no other file counts."""
    return [reports[name] for name in BASELINES if name in reports]


def _read_reports(folder: Path) -> dict[str, EvalReport]:
    return {
        found.stem: load_record(found, EvalReport, what="an evaluation report")
        for found in sorted(folder.glob("*.json"))
    }


def _read_object(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _read_steps(path: Path) -> tuple[Step, ...]:
    """The training's steps in order; a resumed training says some again, and the last word on a step counts."""
    if not path.is_file():
        return ()
    said: dict[int, Step] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line that a killed process was writing
        if row.get("stage") == "sft" and row.get("loss") is not None:
            said[row["step"]] = Step(row["step"], row["loss"], row.get("tokens_per_second"))
    return tuple(said[step] for step in sorted(said))
