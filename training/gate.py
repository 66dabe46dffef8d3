"""The gate: one pure function from figures to Promote, Hold or Reject, every reason spelled out.

Reject: a figure says no lift, or harm. Hold: too little was measured to say. Promote: every check passed.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from app.domain.errors import Refused
from app.domain.evals import Arm, EvalReport, Figure, GateDecision, GatePolicy, Reason
from training.evaluation.measures import Floats, bootstrap

#: What two reports must share to be compared at all.
_SAME = ("suite", "prompt_version", "base", "precision", "rows")


def decide_promotion(candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy) -> GateDecision:
    """Compare the candidate with every baseline under thresholds that were fixed before.

    Raises:
        Refused: when reports do not compare, or no report holds a base arm.
    """
    for baseline in baselines:
        _check_comparable(candidate, baseline)
    if "candidate" not in candidate.paired:
        raise Refused("no_candidate", "the candidate's report holds no candidate arm; evaluate with --adapter")
    base = next((report for report in baselines if "base" in report.paired), None)
    if base is None:
        raise Refused("no_baseline", "no baseline report holds a base arm; evaluate without --adapter first")
    reasons = (
        _enough_rows(candidate, policy),
        _lift(candidate, base, policy),
        _hunk_dependence(candidate, policy),
        *_not_worse_than_current(candidate, baselines, policy),
        *_locator(candidate, policy),
        *_form(candidate.arms["candidate"], policy),
    )
    return GateDecision(
        verdict=_verdict(reasons), reasons=reasons, policy=policy, adapter=candidate.adapter, suite=candidate.suite
    )


def describe_decision(decision: GateDecision) -> str:
    """The verdict and its reasons, one a line, for a person."""
    marks = {(True, True): "+", (False, True): "-", (False, False): "?"}
    reasons = [
        f"  {marks[reason.passed, reason.measured]} {reason.check}: {reason.text}" for reason in decision.reasons
    ]
    return "\n".join([f"gate: {decision.verdict}", *reasons])


def _verdict(reasons: Sequence[Reason]) -> Literal["promote", "hold", "reject"]:
    if all(reason.passed for reason in reasons):
        return "promote"
    return "reject" if any(not reason.passed and reason.measured for reason in reasons) else "hold"


def _check_comparable(candidate: EvalReport, baseline: EvalReport) -> None:
    for field in _SAME:
        ours, theirs = getattr(candidate, field), getattr(baseline, field)
        if ours != theirs:
            what = "their rows differ" if field == "rows" else f"{field} is {ours} here and {theirs} there"
            raise Refused(
                "not_comparable", f"these reports do not compare: {what}; evaluate both on one snapshot and base"
            )


def _enough_rows(candidate: EvalReport, policy: GatePolicy) -> Reason:
    count = len(candidate.rows)
    return Reason(
        check="heldout_rows",
        passed=count >= policy.heldout_rows,
        measured=count >= policy.heldout_rows,
        text=f"{count} held-out comments; at least {policy.heldout_rows} are needed to tell lift from luck",
    )


def _lift(candidate: EvalReport, base: EvalReport, policy: GatePolicy) -> Reason:
    figure = bootstrap([candidate.paired["candidate"], base.paired["base"]], _relative_drop)
    if figure is None:
        return _unmeasured("nll_lift", "no held-out row was scored")
    before, after = np.mean(base.paired["base"]), np.mean(candidate.paired["candidate"])
    return Reason(
        check="nll_lift",
        passed=figure.low >= policy.nll_lift,
        text=(
            f"held-out comments cost {after:.3f} nats a token, {before:.3f} with the bare base: {_share(figure)} less; "
            f"the lower bound must reach {policy.nll_lift:.0%}"
        ),
    )


def _relative_drop(after: Floats, before: Floats) -> float:
    return float(1 - after.mean() / before.mean())


def _hunk_dependence(candidate: EvalReport, policy: GatePolicy) -> Reason:
    strangers = candidate.paired.get("other_hunk")
    if strangers is None:
        return _unmeasured("hunk_dependence", "the control arm other_hunk is missing")
    figure = bootstrap([strangers, candidate.paired["candidate"]], _difference)
    if figure is None:
        return _unmeasured("hunk_dependence", "no held-out row was scored")
    return Reason(
        check="hunk_dependence",
        passed=figure.low > policy.hunk_dependence,
        text=(
            f"the same comments cost {_nats(figure)} more under another row's hunk; the lower bound must be above "
            f"{policy.hunk_dependence:g}, else only the team's tone was learned and not what they say about which code"
        ),
    )


def _difference(more: Floats, less: Floats) -> float:
    return float(more.mean() - less.mean())


def _not_worse_than_current(
    candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy
) -> Iterator[Reason]:
    for report in baselines:
        if "current" not in report.paired:
            continue
        figure = bootstrap([report.paired["current"], candidate.paired["candidate"]], _difference)
        if figure is not None:
            yield Reason(
                check="current",
                passed=figure.low >= -policy.current_loss,
                text=(
                    f"against the adapter in use ({report.adapter}) held-out comments cost {_nats(figure)} less; the "
                    f"lower bound must be at least -{policy.current_loss:g}"
                ),
            )


def _locator(candidate: EvalReport, policy: GatePolicy) -> Iterator[Reason]:
    arm, chance = candidate.arms["candidate"], candidate.arms.get("chance", Arm()).location_hit
    hit = arm.location_hit
    if hit is None or chance is None:
        yield _unmeasured("location_hit", "; ".join(candidate.notes) or "no Locator was measured")
    else:
        yield Reason(
            check="location_hit",
            passed=hit.low > chance.value,
            text=(
                f"{_share(hit)} of the commented lines are found within five a pull request; as many random lines "
                f"find {chance.value:.0%}, which the lower bound must exceed"
            ),
        )
    yield _share_check("false_alarm", arm.false_alarm, policy.false_alarm, most=True, of="clean hunks are disturbed")


def _form(arm: Arm, policy: GatePolicy) -> Iterator[Reason]:
    yield _share_check(
        "schema_valid", arm.schema_valid, policy.schema_valid, most=False, of="free answers have the agreed shape"
    )
    yield _share_check("stop", arm.stop, policy.stop, most=False, of="answers end by themselves")


def _share_check(check: str, figure: Figure | None, limit: float, *, most: bool, of: str) -> Reason:
    if figure is None:
        return _unmeasured(check, f"nothing held out tells how many {of}")
    passed = figure.value <= limit if most else figure.value >= limit
    return Reason(
        check=check,
        passed=passed,
        text=f"{_share(figure)} of {figure.n} {of}; {'at most' if most else 'at least'} {limit:.0%} is wanted",
    )


def _unmeasured(check: str, why: str) -> Reason:
    return Reason(check=check, passed=False, measured=False, text=f"not measured: {why}")


def _share(figure: Figure) -> str:
    return f"{figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%})"


def _nats(figure: Figure) -> str:
    return f"{figure.value:.3f} nats a token ({figure.low:.3f} to {figure.high:.3f})"
