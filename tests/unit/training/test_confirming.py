"""The served figures decide last: they can take a promotion back and can't make one."""

import pytest

from app.domain.errors import Refused
from app.domain.evals import EvalReport, GateDecision, GatePolicy
from tests.unit.training.test_gate import make_arm, make_base, make_candidate
from training.gate.confirming import confirm_served
from training.gate.deciding import decide_promotion

VLLM = {"engine": "vllm 0.32.0"}


def _served(report: EvalReport, **changes: object) -> EvalReport:
    return report.model_copy(update=VLLM | changes)


def _decided(candidate: EvalReport) -> GateDecision:
    return decide_promotion(candidate, [make_base()], GatePolicy())


def _failed(decision: GateDecision) -> set[str]:
    return {reason.check for reason in decision.reasons if not reason.passed and not reason.advisory}


def test_what_is_served_as_it_was_trained_keeps_its_promotion() -> None:
    candidate = make_candidate()
    confirmed = confirm_served(_decided(candidate), candidate, _served(candidate), _served(make_base()))
    assert confirmed.verdict == "promote"
    assert {reason.check for reason in confirmed.reasons if reason.check.startswith("served")} == {
        "served",
        "served_nll_lift",
        "served_hunk_dependence",
        "served_schema_valid",
        "served_stop",
        "served_agreement",
    }


def test_a_server_that_answers_with_the_base_is_found_out() -> None:
    """HTTP 200, the adapter's name, and the base's weights."""
    candidate, base = make_candidate(), make_base()
    bare = {"candidate": base.paired["base"], "other_hunk": base.paired["base"]}
    confirmed = confirm_served(_decided(candidate), candidate, _served(candidate, paired=bare), _served(base))
    assert confirmed.verdict == "reject"
    assert _failed(confirmed) == {"served_nll_lift", "served_hunk_dependence", "served_agreement"}


def test_other_weights_that_are_as_good_are_still_other_weights() -> None:
    candidate = make_candidate()
    shifted = {name: tuple(value - 0.1 for value in losses) for name, losses in candidate.paired.items()}
    confirmed = confirm_served(_decided(candidate), candidate, _served(candidate, paired=shifted), _served(make_base()))
    assert _failed(confirmed) == {"served_agreement"}
    assert confirmed.verdict == "reject"


def test_served_figures_make_no_promotion_of_a_rejection() -> None:
    noisy = make_candidate(make_arm(false_alarm=None))
    assert _decided(noisy).verdict == "hold"
    assert confirm_served(_decided(noisy), noisy, _served(noisy), _served(make_base())).verdict == "hold"


@pytest.mark.parametrize("change", [{"suite": "su1:b"}, {"adapter": "acme--111111111111"}])
def test_figures_of_something_else_confirm_nothing(change: dict[str, object]) -> None:
    candidate = make_candidate()
    base = _served(make_base(), **{key: value for key, value in change.items() if key == "suite"})
    with pytest.raises(Refused, match="another suite or adapter"):
        confirm_served(_decided(candidate), candidate, _served(candidate, **change), base)


def test_the_trainers_own_process_is_no_server() -> None:
    candidate = make_candidate()
    confirmed = confirm_served(_decided(candidate), candidate, candidate, make_base())
    assert confirmed.verdict == "hold"
