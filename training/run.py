"""One learning round in one process: where, whether, what, measured, and decided.

OUT after it: version/ (the AdapterVersion), reports/{baseline,candidate[,current]}.json, policy.json, decision.json,
run.json, progress.jsonl, and what people read and check: report.html, card.md, release.json[, release.sig.json].
A stage whose output is whole is not done again, so a round that was killed goes on where it was.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.domain.adapters import AdapterManifest, BaseCheckpoint, check_base
from app.domain.base import Record
from app.domain.errors import Refused, UserError
from app.domain.estimates import EstimateRecord
from app.domain.evals import EvalReport, GateDecision, GatePolicy, SpotCheck
from training.base.goldens import make_goldens
from training.base.tokens import load_tokenizer
from training.config import ResolvedConfig
from training.evaluation.examining import Examination, evaluate
from training.evaluation.judging.settings import JudgeSettings
from training.evaluation.naming import ArmName
from training.gate.deciding import decide_promotion, describe_decision
from training.preflight.comparing import compare_estimate, load_comparison
from training.process.files import load_record, save_record
from training.process.progress import Progress
from training.process.runkey import RunKey, claim_folder, make_key
from training.recipes.kto import FOLDER as PREFERRED
from training.recipes.kto import train_preferences
from training.recipes.pilot import is_proven, run_pilot
from training.recipes.sft import ADAPTER, train_adapter
from training.recipes.task import Task
from training.recipes.version import assemble_version, measure_probes
from training.release.folder import POLICY, SERVED_DECISION, SPOT_CHECK, read_baselines
from training.release.publishing import seal_run
from training.rows.snapshot import Snapshot
from training.scores.acceptance import fit_acceptance
from training.scores.locator import fit_locator
from training.scores.text_scores import TextScores, save_scores

#: Share of a time budget that the evaluation and the rest get.
_AFTER_TRAINING = 0.3
ResultT = TypeVar("ResultT")


class RunRecord(Record):
    """Seconds of each stage done by this process (a stage that was already done has none), and the outcome."""

    snapshot: str
    adapter: str
    verdict: str
    seconds: dict[str, float]
    #: of the adapter's training; None where it was not trained in one go, or nothing was estimated
    estimate: EstimateRecord | None = None


@dataclass(frozen=True)
class Round:
    """Everything one learning round is made of."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    resolved: ResolvedConfig
    out: Path
    current: Path | None = None
    policy: GatePolicy = field(default_factory=GatePolicy)
    budget_seconds: float | None = None
    signing_key: Path | None = None
    #: who may judge held-out comments, and the installation's regression set
    judge: JudgeSettings | None = None
    pinned: Path | None = None


def run_round(learning: Round, progress: Progress) -> GateDecision:
    """The round. Its verdict is no error: Hold and Reject are answers."""
    key = make_key(learning.snapshot, learning.checkpoint, learning.resolved.config)
    claim_folder(learning.out, key)
    _fix_policy(learning)
    stages = _Stages(progress)
    _fit_scores(learning, progress, stages)
    stages.report(learning.out / "reports/baseline.json", lambda: _examine(learning, progress, None))
    adapter = _learn(learning, progress, stages)
    manifest = _assemble(learning, key, adapter, stages)
    version = learning.out / "version"
    candidate = stages.report(
        learning.out / "reports/candidate.json", lambda: _examine(learning, progress, version), adapter=manifest.name
    )
    _measure_current(learning, progress, stages)
    decision = decide_promotion(
        candidate, read_baselines(learning.out), learning.policy, _read_spot_check(learning.out)
    )
    save_record(learning.out / "decision.json", decision)
    (learning.out / SERVED_DECISION).unlink(missing_ok=True)  # it confirmed another decision
    record = RunRecord(
        snapshot=learning.snapshot.id,
        adapter=manifest.name,
        verdict=decision.verdict,
        seconds=stages.seconds,
        estimate=load_comparison(learning.out),
    )
    save_record(learning.out / "run.json", record)
    seal_run(learning.out, learning.signing_key)
    progress.report("gate", 1, 1, text=describe_decision(decision))
    return decision


def _fix_policy(learning: Round) -> None:
    """The thresholds are fixed before the first figure exists; a run that goes on goes on under them.

    Raises:
        UserError: when the run began under others.
    """
    path = learning.out / POLICY
    if not path.is_file():
        save_record(path, learning.policy)
    elif load_record(path, GatePolicy, what="a gate policy") != learning.policy:
        raise UserError(f"{learning.out} began under another gate policy ({path}); name a new folder for a new policy")


def _read_spot_check(out: Path) -> SpotCheck | None:
    path = out / SPOT_CHECK
    return load_record(path, SpotCheck, what="a spot check") if path.is_file() else None


def _fit_scores(learning: Round, progress: Progress, stages: "_Stages") -> None:
    config, snapshot = learning.resolved.config, learning.snapshot
    stages.scores(
        learning.out / "locator.skops",
        lambda: fit_locator(
            snapshot.hunks("train"),
            alarms=config.alarms_per_clean_hunk,
            on_trial=lambda done, total: progress.report("locator", done, total),
        ),
    )
    stages.scores(
        learning.out / "filter.skops",
        lambda: fit_acceptance(snapshot.outcomes("train"), precision=config.acceptance_precision),
    )


def _learn(learning: Round, progress: Progress, stages: "_Stages") -> Path:
    """The folder of the adapter: a pilot where base or format are new, then comments, then preferences if asked."""
    budget = learning.budget_seconds
    task = Task(
        snapshot=learning.snapshot,
        base=learning.base,
        checkpoint=learning.checkpoint,
        config=learning.resolved.config,
        out=learning.out,
        budget_seconds=None if budget is None else budget * (1 - _AFTER_TRAINING),
    )
    if not is_proven(task, learning.current):
        stages.timed("pilot", lambda: run_pilot(task, progress))
    with compare_estimate(learning.out, progress) as comparison:
        comparison.complete = stages.timed("sft", lambda: train_adapter(task, progress)).stopped == "complete"
    if task.config.preference == "none":
        return learning.out / ADAPTER
    stages.timed("kto", lambda: train_preferences(task, progress))
    return learning.out / PREFERRED / ADAPTER


def _assemble(learning: Round, key: RunKey, adapter: Path, stages: "_Stages") -> AdapterManifest:
    place = learning.out / "version"
    if not (place / "manifest.json").is_file():
        probes = stages.timed("probes", lambda: measure_probes(learning.snapshot, learning.base, adapter))
        assemble_version(
            place,
            key=key,
            adapter=adapter,
            scores=[learning.out / "locator.skops", learning.out / "filter.skops"],
            probes=probes,
            goldens=make_goldens(load_tokenizer(learning.base)),
            installation=learning.snapshot.manifest.installation,
        )
    return load_record(place / "manifest.json", AdapterManifest, what="an adapter's manifest")


def _examine(learning: Round, progress: Progress, adapter: Path | None, arm: ArmName = "candidate") -> EvalReport:
    examination = Examination(
        snapshot=learning.snapshot,
        base=learning.base,
        checkpoint=learning.checkpoint,
        config=learning.resolved.config,
        adapter=adapter,
        arm=arm,
        judge=learning.judge,
        pinned=learning.pinned,
    )
    return evaluate(examination, progress)


def _measure_current(learning: Round, progress: Progress, stages: "_Stages") -> None:
    """The adapter in use on the same held-out rows; one of another base is no rival, and that is said."""
    path, current = learning.out / "reports" / "current.json", learning.current
    if current is not None:
        manifest = load_record(current / "manifest.json", AdapterManifest, what="the current adapter's manifest")
        try:
            check_base(manifest, learning.checkpoint)
        except Refused as refusal:
            progress.say(f"the adapter in use is not compared: {refusal}")
        else:
            stages.report(path, lambda: _examine(learning, progress, current, "current"), adapter=manifest.name)
            return
    path.unlink(missing_ok=True)  # of a version that was in use when this round was begun


class _Stages:
    """Does a stage unless its output is whole, and keeps the time of those it did."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, act: Callable[[], ResultT]) -> ResultT:
        started = time.monotonic()
        result = act()
        self.seconds[name] = round(time.monotonic() - started, 2)
        return result

    def report(self, path: Path, act: Callable[[], EvalReport], *, adapter: str | None = None) -> EvalReport:
        """A report on this very adapter, from the file or made now."""
        if path.is_file():
            found = load_record(path, EvalReport, what="an evaluation report")
            if found.adapter == adapter:
                return found
        made = self.timed(f"evaluate:{path.stem}", act)
        save_record(path, made)
        return made

    def scores(self, path: Path, act: Callable[[], TextScores]) -> None:
        if path.is_file():
            return
        fitted = self.timed(path.stem, act)
        save_scores(path, fitted)
        self._progress.report(path.stem, 1, 1, text=f"{path.stem}: {fitted.sentence}")
