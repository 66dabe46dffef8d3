"""The gate: one pure function from figures to Promote, Hold or Reject, every reason spelled out.

Reject: a figure says no lift, or harm. Hold: too little was measured to say. Promote: every check passed.
"""

from collections.abc import Sequence
from typing import Literal

from app.domain.errors import Refused
from app.domain.evals import EvalReport, GateDecision, GatePolicy, Reason, SpotCheck
from training.gate.advice import advise
from training.gate.harm import (
    check_canaries,
    check_engine,
    check_forgetting,
    check_form,
    check_places,
    check_regressions,
    check_spot,
)
from training.gate.lift import check_arms, check_current, check_hunk_dependence, check_lift, check_rows

#: What two reports must share to be compared at all.
_SAME = ("suite", "prompt_version", "base", "engine", "precision", "rows", "pull_requests")
#: Of these, what would fill a page if it was told.
_LONG = frozenset({"rows", "pull_requests"})


def decide_promotion(
    candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy, spot: SpotCheck | None = None
) -> GateDecision:
    """Compare the candidate with every baseline under thresholds that were fixed before.

    Raises:
        Refused: when reports do not compare, or no report holds a base arm.
    """
    for baseline in baselines:
        check_comparable(candidate, baseline)
    if "candidate" not in candidate.paired:
        raise Refused("no_candidate", "the candidate's report holds no candidate arm; evaluate with --adapter")
    base = next((report for report in baselines if "base" in report.paired), None)
    if base is None:
        raise Refused("no_baseline", "no baseline report holds a base arm; evaluate without --adapter first")
    reasons = (
        check_rows(candidate, policy),
        *check_engine(candidate, policy),
        check_lift(candidate, base, policy),
        check_hunk_dependence(candidate, policy),
        *check_arms(candidate, baselines, policy),
        *check_current(candidate, baselines, policy),
        *check_places(candidate, policy),
        *check_form(candidate.arms["candidate"], policy),
        *check_regressions(candidate, baselines, policy),
        *check_forgetting(candidate, base, policy),
        *check_canaries(candidate),
        *check_spot(candidate, spot, policy),
        *advise(candidate, baselines, policy),
    )
    return GateDecision(
        verdict=decide_verdict(reasons),
        reasons=reasons,
        policy=policy,
        adapter=candidate.adapter,
        suite=candidate.suite,
    )


def describe_decision(decision: GateDecision) -> str:
    """The verdict and its reasons, one a line, for a person. `i` marks what decided nothing."""
    return "\n".join(
        [f"gate: {decision.verdict}", *(f"  {_mark(item)} {item.check}: {item.text}" for item in decision.reasons)]
    )


def _mark(reason: Reason) -> str:
    if reason.advisory:
        return "i"
    return "?" if not reason.measured else "+" if reason.passed else "-"


def decide_verdict(reasons: Sequence[Reason]) -> Literal["promote", "hold", "reject"]:
    """Advice aside: all passed, or one that was measured failed, or too little was measured."""
    deciding = [reason for reason in reasons if not reason.advisory]
    if all(reason.passed for reason in deciding):
        return "promote"
    return "reject" if any(not reason.passed and reason.measured for reason in deciding) else "hold"


def check_comparable(candidate: EvalReport, baseline: EvalReport) -> None:
    """Raises: Refused when two reports are not of the same rows, asked the same way of the same base and engine."""
    for field in _SAME:
        ours, theirs = getattr(candidate, field), getattr(baseline, field)
        if ours != theirs:
            what = (
                f"their {field.replace('_', ' ')} differ"
                if field in _LONG
                else f"{field} is {ours} here and {theirs} there"
            )
            raise Refused(
                "not_comparable", f"these reports do not compare: {what}; evaluate both on one snapshot and base"
            )
