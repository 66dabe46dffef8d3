"""A finished run decided again: to see whether it says what its reports say, or because they became more."""

from pathlib import Path

from app.domain.errors import Refused, UserError
from app.domain.evals import GateDecision, GatePolicy
from training.gate.confirming import confirm_served
from training.gate.deciding import decide_promotion
from training.process.files import save_record
from training.release.folder import POLICY, SERVED_DECISION, RunFolder, open_run
from training.release.publishing import SIGNATURE, seal_run


def check_key(folder: Path, key: Path | None) -> None:
    """Before anything is changed in the folder.

    Raises:
        UserError: when a signed run would lose its signature.
    """
    if key is None and (folder / SIGNATURE).is_file():
        raise UserError(f"{folder} is signed; expected --signing-key to sign it with the new verdict")


def require_policy(run: RunFolder) -> GatePolicy:
    """The thresholds that were fixed before the run's first figure.

    Raises:
        UserError: when the folder does not hold them.
    """
    if run.policy is None:
        raise UserError(f"expected the thresholds of the run in {run.path / POLICY}, found no such file")
    return run.policy


def derive_trained(run: RunFolder, policy: GatePolicy) -> GateDecision:
    """What the trainer must have decided under `policy`, which the run may not choose: it may come from elsewhere.

    Raises:
        UserError: when the run does not hold its policy.
        Refused: `other_policy` or `other_verdict`, naming what the run says otherwise.
    """
    for name, stated in ((POLICY, require_policy(run)), ("decision.json", run.trained.policy)):
        if stated != policy:
            told = ", ".join(
                f"{field} is {getattr(stated, field)} and not {wanted}"
                for field, wanted in policy
                if getattr(stated, field) != wanted
            )
            raise Refused("other_policy", f"{run.path / name} holds other thresholds: {told}")
    again = decide_promotion(run.candidate, run.baselines, policy, run.spot)
    check_same(run.trained, again, "decision.json")
    return again


def check_same(stated: GateDecision, again: GateDecision, name: str) -> None:
    """Every field, and every reason's every word.

    Raises:
        Refused: `other_verdict`, naming what differs.
    """
    if stated == again:
        return
    if stated.verdict != again.verdict:
        raise Refused(
            "other_verdict", f"{name} says {stated.verdict}, but the reports and the policy give {again.verdict}"
        )
    theirs, ours = ({item.check: item for item in side.reasons} for side in (stated, again))
    differ = [check for check in {**ours, **theirs} if ours.get(check) != theirs.get(check)]
    what = f"other reasons for {', '.join(differ)}" if differ else "another adapter, suite or order of reasons"
    raise Refused("other_verdict", f"{name} says {stated.verdict}, but the reports and the policy give {what}")


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
