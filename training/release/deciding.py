"""A finished run decided again: a person has spoken, or trained controls have joined the reports."""

from pathlib import Path

from app.domain.errors import UserError
from app.domain.evals import GateDecision
from training.gate.confirming import confirm_served
from training.gate.deciding import decide_promotion
from training.process.files import save_record
from training.release.folder import SERVED_DECISION, open_run
from training.release.publishing import SIGNATURE, seal_run


def check_key(folder: Path, key: Path | None) -> None:
    """Before anything is changed in the folder.

    Raises:
        UserError: when a signed run would lose its signature.
    """
    if key is None and (folder / SIGNATURE).is_file():
        raise UserError(f"{folder} is signed; expected --signing-key to sign it with the new verdict")


def decide_again(folder: Path, key: Path | None) -> GateDecision:
    """Decision, page, card and seal anew, from what the folder holds now; the policy stays the one that was fixed.

    Raises:
        UserError: when the run is not finished.
        Refused: when a report is of other rows than the candidate's.
    """
    run = open_run(folder)
    decision = decide_promotion(run.candidate, run.baselines, run.trained.policy, run.spot)
    save_record(folder / "decision.json", decision)
    if run.served:
        decision = confirm_served(decision, run.candidate, run.served["candidate"], run.served["baseline"])
        save_record(folder / SERVED_DECISION, decision)
    seal_run(folder, key)
    return decision
