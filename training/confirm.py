"""A finished run measured again on the server that will answer. `served/` and `served.json` join the run folder."""

from dataclasses import dataclass, field
from pathlib import Path

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused, UserError
from app.domain.evals import EvalReport, GateDecision, GatePolicy
from training.config import TrainingConfig
from training.evaluation.examining import Examination, evaluate
from training.evaluation.served import open_served
from training.gate.confirming import confirm_served
from training.process.files import save_record
from training.process.progress import Progress
from training.process.runkey import read_key
from training.release.deciding import derive_trained
from training.release.folder import SERVED, SERVED_DECISION, open_run
from training.release.publishing import seal_run
from training.rows.snapshot import Snapshot


@dataclass(frozen=True)
class Confirmation:
    """A run, what it was trained on, and the server: its address, and the file with its read key.

    `policy`: the thresholds to decide under. A run may have been trained elsewhere, so it brings none of its own.
    """

    run: Path
    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    endpoint: str
    key_file: Path
    signing_key: Path | None = None
    policy: GatePolicy = field(default_factory=GatePolicy)


def confirm_run(asked: Confirmation, progress: Progress) -> GateDecision:
    """Measure base and version as they are served, and decide whether the trainer's verdict stands.

    Raises:
        UserError: when the run is not finished, or its version is not served there.
        Refused: when run, snapshot and server do not belong together, or the run says of thresholds or verdict what its
            reports do not give under `policy`; nothing is asked of the server then.
        RetryLater: when the server is away.
    """
    key = read_key(asked.run)
    if key is None:
        raise UserError(f"expected a run's key.json in {asked.run}, found none; name a folder that `training run` made")
    if (key.snapshot, key.base) != (asked.snapshot.id, asked.checkpoint):
        raise Refused("other_run", f"{asked.run} was made from another snapshot or base than those given now")
    run = open_run(asked.run)
    trained = derive_trained(run, asked.policy)
    base = _measure(asked, key.config, None, progress)
    version = _measure(asked, key.config, asked.run / "version", progress)
    decision = confirm_served(trained, run.candidate, version, base)
    save_record(asked.run / SERVED_DECISION, decision)
    seal_run(asked.run, asked.signing_key)
    return decision


def _measure(asked: Confirmation, config: TrainingConfig, adapter: Path | None, progress: Progress) -> EvalReport:
    """What weights are needed for and nothing else; the suite stays the run's own."""
    once = {"arms": (), "forgetting_problems": 0, "forgetting_passages": 0, "forgetting_programs": 0, "canaries": 0}
    examination = Examination(
        snapshot=asked.snapshot,
        base=asked.base,
        checkpoint=asked.checkpoint,
        config=config.model_copy(update=once),
        adapter=adapter,
        served=open_served(asked.endpoint, asked.key_file, None, adapter),
    )
    report = evaluate(examination, progress)
    save_record(asked.run / SERVED / f"{'baseline' if adapter is None else 'candidate'}.json", report)
    return report
