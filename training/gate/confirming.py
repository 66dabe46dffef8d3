"""The second look: what the server makes of the very same rows, before anybody is reviewed by it.

The trainer's verdict stands on its own process. Served weights are other code in another order of operations, and vLLM
has served the bare base under an adapter's name: so lift, dependence on the hunk and form are measured again as served,
and row by row the server must say what the trainer said. What needs no weights (where), or was asked of the same
weights (forgetting, canaries), is not asked twice.
"""

from collections.abc import Iterator

import numpy as np

from app.domain.errors import Refused
from app.domain.evals import EvalReport, GateDecision, GatePolicy, Reason
from training.evaluation.measures import Floats, bootstrap
from training.gate.deciding import check_comparable, decide_verdict
from training.gate.harm import check_engine, check_form
from training.gate.lift import check_hunk_dependence, check_lift, groups
from training.gate.reasons import nats, unmeasured


def confirm_served(
    decision: GateDecision, trained: EvalReport, served: EvalReport, served_base: EvalReport
) -> GateDecision:
    """The decision with the server's figures in it; a promotion that they do not bear out is none.

    Raises:
        Refused: when the reports are of other rows or another adapter, or were not measured on a server.
    """
    check_comparable(served, served_base)
    said, asked = ((one.suite, one.rows, one.pull_requests, one.adapter) for one in (trained, served))
    if said != asked:
        raise Refused("not_comparable", "the served report is of another suite or adapter than the trainer's")
    if "base" not in served_base.paired:
        raise Refused("no_baseline", "the served baseline holds no base arm")
    policy = decision.policy.model_copy(update={"served": True})
    found = (*_as_served(served, served_base, policy), _check_agreement(trained, served, policy))
    reasons = (*decision.reasons, *(item.model_copy(update={"check": _name(item)}) for item in found))
    return decision.model_copy(update={"reasons": reasons, "verdict": decide_verdict(reasons)})


def _as_served(served: EvalReport, base: EvalReport, policy: GatePolicy) -> Iterator[Reason]:
    yield from check_engine(served, policy)
    yield check_lift(served, base, policy)
    yield check_hunk_dependence(served, policy)
    yield from check_form(served.arms["candidate"], policy)


def _name(reason: Reason) -> str:
    return reason.check if reason.check.startswith("served") else f"served_{reason.check}"


def _check_agreement(trained: EvalReport, served: EvalReport, policy: GatePolicy) -> Reason:
    pair = [trained.paired["candidate"], served.paired["candidate"]]
    figure = bootstrap(pair, _mean_distance, groups=groups(trained))
    if figure is None:
        return unmeasured("agreement", "no held-out row was scored")
    return Reason(
        check="agreement",
        passed=figure.value <= policy.served_gap,
        text=(
            f"on the same rows {served.engine} and {trained.engine} differ by {nats(figure)}; at most "
            f"{policy.served_gap:g} may be, else other weights or other code answer than were proven"
        ),
    )


def _mean_distance(ours: Floats, theirs: Floats) -> float:
    return float(np.abs(ours - theirs).mean())
