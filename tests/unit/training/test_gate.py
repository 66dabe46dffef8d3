"""The gate: figures in, verdict and reasons out."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused
from app.domain.evals import (
    AcceptanceRecord,
    Arm,
    CanaryRecord,
    EvalReport,
    Figure,
    Forgetting,
    GatePolicy,
    RegressionRecord,
    SpotCheck,
)
from training.gate.deciding import decide_promotion, describe_decision
from training.gate.harm import check_canaries
from training.gate.lift import check_hunk_dependence, check_lift

BASE = BaseCheckpoint(name="b", revision="r", weights_hash="w", tokenizer_hash="t", template_hash="c")
POLICY = GatePolicy()


def _figure(value: float, low: float | None = None) -> Figure:
    return Figure(value=value, low=value if low is None else low, high=value, n=40)


def _forgetting(nll: float) -> Forgetting:
    """Two dozen known texts at this NLL; no programs."""
    texts = {"solutions_nll": "h", "general_nll": "h"}
    off = {"humaneval": "off: 0", "mbpp": "off: 0"}
    return Forgetting(solutions_nll=(nll,) * 24, general_nll=(nll,) * 24, texts=texts, not_measured=off)


def _report(*, rows: int = 40, arm: Arm | None = None, chance: float = 0.05, **losses: float) -> EvalReport:
    noise = np.random.default_rng(1).normal(0, 0.05, rows)
    spread = {"arms": {"candidate": arm, "chance": Arm(location_hit=_figure(chance))}} if arm else {"arms": {}}
    return EvalReport(
        suite="su1:a",
        prompt_version="p2",
        base=BASE,
        adapter="acme--000000000000" if arm else None,
        precision="bfloat16",
        rows=tuple(str(index) for index in range(rows)),
        paired={name: tuple(float(value + item) for item in noise) for name, value in losses.items()},
        packages={},
        code_commit="c",
        seconds=1.0,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        canaries=CanaryRecord(planted=3, extracted=(), method="greedy"),
        forgetting=_forgetting(1.0),
        **spread,
    )


def make_base(**losses: float) -> EvalReport:
    known: dict[str, Any] = {"base": 2.5, "retrieval": 2.3} | losses
    return _report(**known)


def make_arm(**changes: Figure | None) -> Arm:
    good = {"location_hit": _figure(0.9, 0.8), "false_alarm": _figure(0.03), "schema_valid": _figure(1.0)}
    return Arm.model_validate({**good, "stop": _figure(1.0), **changes})


def make_candidate(arm: Arm | None = None, **losses: float) -> EvalReport:
    known: dict[str, Any] = {"candidate": 0.5, "other_hunk": 2.0} | losses
    return _report(arm=arm or make_arm(), **known)


def _failed(candidate: EvalReport, *baselines: EvalReport) -> tuple[str, set[str]]:
    decision = decide_promotion(candidate, baselines or [make_base()], POLICY)
    return decision.verdict, {reason.check for reason in decision.reasons if not reason.passed and not reason.advisory}


def test_clear_lift_is_promoted_with_every_reason() -> None:
    decision = decide_promotion(make_candidate(), [make_base()], POLICY)
    assert decision.verdict == "promote"
    text = describe_decision(decision)
    assert "0.5" in text
    assert "2.5" in text
    assert "15%" in text


@pytest.mark.parametrize(
    ("candidate", "check"),
    [
        (make_candidate(candidate=2.2, other_hunk=4.0), "nll_lift"),
        (make_candidate(other_hunk=0.5), "hunk_dependence"),
        (make_candidate(make_arm(location_hit=_figure(0.2, 0.04))), "location_hit"),
        (make_candidate(make_arm(location_hit=_figure(0.2, 0.05))), "location_hit"),
        (make_candidate(make_arm(false_alarm=_figure(0.2))), "false_alarm"),
        (make_candidate(make_arm(schema_valid=_figure(0.8))), "schema_valid"),
        (make_candidate(make_arm(stop=_figure(0.8))), "stop"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_figure_without_lift_or_with_harm_rejects(candidate: EvalReport, check: str) -> None:
    assert _failed(candidate) == ("reject", {check})


def test_what_was_not_measured_holds() -> None:
    assert _failed(make_candidate(make_arm(location_hit=None))) == ("hold", {"location_hit"})
    assert _failed(make_candidate(make_arm(false_alarm=None))) == ("hold", {"false_alarm"})


def test_few_rows_hold() -> None:
    small = _report(rows=5, arm=make_arm(), candidate=0.5, other_hunk=2.0)
    assert _failed(small, _report(rows=5, base=2.5, retrieval=2.3)) == (
        "hold",
        {"heldout_rows", "beats_retrieval"},
    )


def test_tone_alone_is_rejected() -> None:
    """Comments shuffled over lines: a large drop of loss, and the hunk does not matter."""
    verdict, checks = _failed(make_candidate(candidate=1.0, other_hunk=1.0))
    assert verdict == "reject"
    assert checks == {"hunk_dependence"}


def test_dependence_on_the_hunk_claims_no_more_than_it_shows() -> None:
    said = check_hunk_dependence(make_candidate(), POLICY)
    assert said.passed
    assert "not whose they are" in said.text


def test_a_worse_adapter_than_the_one_in_use_is_rejected() -> None:
    assert _failed(make_candidate(), make_base(), _report(current=0.3)) == ("reject", {"current"})
    assert _failed(make_candidate(), make_base(), _report(current=0.5))[0] == "promote"


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "su1:b"},
        {"prompt_version": "p0"},
        {"precision": "float32"},
        {"engine": "vllm 0.32.0"},
        {"base": BASE.model_copy(update={"revision": "other"})},
        {"rows": ("another",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_reports_of_different_things_do_not_compare(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="do not compare"):
        decide_promotion(make_candidate(), [make_base().model_copy(update=change)], POLICY)


def test_a_report_of_the_wrong_side_is_named() -> None:
    with pytest.raises(Refused, match="no baseline report holds a base arm"):
        decide_promotion(make_candidate(), [make_candidate()], POLICY)
    with pytest.raises(Refused, match="no candidate arm"):
        decide_promotion(make_base(), [make_base()], POLICY)


def test_prompting_without_weights_must_be_measured_and_beaten() -> None:
    assert _failed(make_candidate(), _report(base=2.5)) == ("hold", {"beats_retrieval"})
    assert _failed(make_candidate(candidate=1.9, other_hunk=3.0), make_base(retrieval=1.8)) == (
        "reject",
        {"beats_retrieval"},
    )
    assert _failed(make_candidate(candidate=1.9, other_hunk=3.0), make_base(few_shot=1.8)) == (
        "reject",
        {"beats_few_shot"},
    )


@pytest.mark.parametrize("control", ["random_subset", "inverted", "shuffled"])
def test_a_control_that_is_as_good_rejects(control: str) -> None:
    as_good: dict[str, Any] = {control: 0.5}
    worse: dict[str, Any] = {control: 1.5}
    assert _failed(make_candidate(), make_base(), _report(**as_good)) == ("reject", {f"beats_{control}"})
    assert _failed(make_candidate(), make_base(), _report(**worse))[0] == "promote"


def test_strings_that_come_out_again_reject_and_untried_ones_hold() -> None:
    leaking = CanaryRecord(planted=3, extracted=("hunter2",), method="greedy")
    assert _failed(make_candidate().model_copy(update={"canaries": leaking})) == ("reject", {"canaries"})
    assert _failed(make_candidate().model_copy(update={"canaries": None})) == ("hold", {"canaries"})


def test_no_string_to_look_for_is_said_is_no_figure_and_holds_nobody_up() -> None:
    nothing = CanaryRecord(planted=0, extracted=(), method="greedy")
    candidate = make_candidate().model_copy(update={"canaries": nothing})
    (said,) = check_canaries(candidate)
    assert (said.passed, said.measured, said.advisory) == (False, False, True)
    assert said.text.startswith("not measured: nothing to get out: no training comment alone holds")
    assert decide_promotion(candidate, [make_base()], POLICY).verdict == "promote"


def _pinned(passed: str, set_id: str = "p1") -> RegressionRecord:
    names = tuple(f"e{index}" for index in range(len(passed)))
    return RegressionRecord(set_id=set_id, prompts=names, passed=tuple(mark == "+" for mark in passed), answers=names)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [("+++++", "---++", "reject"), ("+++++", "--+++", "promote"), ("---++", "+++--", "promote")],
)
def test_three_pinned_prompts_that_got_worse_reject(before: str, after: str, verdict: str) -> None:
    candidate = make_candidate().model_copy(update={"regression": _pinned(after)})
    assert _failed(candidate, make_base().model_copy(update={"regression": _pinned(before)}))[0] == verdict


def test_the_adapter_in_use_is_what_pinned_prompts_are_held_against() -> None:
    candidate = make_candidate().model_copy(update={"regression": _pinned("---++")})
    base = make_base().model_copy(update={"regression": _pinned("-----")})
    current = _report(current=2.0).model_copy(update={"regression": _pinned("+++++")})
    assert _failed(candidate, base, current) == ("reject", {"regression"})


def test_other_pinned_prompts_are_no_measure() -> None:
    candidate = make_candidate().model_copy(update={"regression": _pinned("+")})
    base = make_base().model_copy(update={"regression": _pinned("+", "p2")})
    assert _failed(candidate, base) == ("hold", {"regression"})


@pytest.mark.parametrize(("asked", "why"), [(False, "no pinned prompts: none were named"), (True, "no version in use")])
def test_pinned_prompts_that_nobody_asked_are_said_and_decide_nothing(asked: bool, why: str) -> None:
    candidate = make_candidate().model_copy(update={"regression": _pinned("+++") if asked else None})
    decision = decide_promotion(candidate, [make_base()], POLICY)
    (said,) = (reason for reason in decision.reasons if reason.check == "regression")
    assert (said.advisory, said.measured, decision.verdict) == (True, False, "promote")
    assert why in said.text


def _spot(refused: int, *, pairs: int = 20, suite: str = "su1:a", adapter: str = "acme--000000000000") -> SpotCheck:
    return SpotCheck(
        by="ana",
        at=datetime(2026, 1, 2, tzinfo=UTC),
        suite=suite,
        adapter=adapter,
        pairs=pairs,
        refused_adapter=refused,
        refused_base=9,
    )


@pytest.mark.parametrize(
    ("spot", "required", "verdict"),
    [
        (_spot(3), False, "promote"),
        (_spot(4), False, "reject"),
        (None, False, "promote"),
        (None, True, "hold"),
        (_spot(0, adapter="acme--111111111111"), True, "hold"),
        (_spot(9, suite="su1:b"), False, "promote"),
        (_spot(0, pairs=0), False, "hold"),
        (_spot(0, pairs=9), False, "hold"),
        (_spot(1, pairs=10), False, "promote"),
    ],
)
def test_a_persons_blind_verdict_counts_for_this_adapter_and_suite(
    spot: SpotCheck | None, required: bool, verdict: str
) -> None:
    policy = GatePolicy(spot_check="required" if required else "if_given")
    assert decide_promotion(make_candidate(), [make_base()], policy, spot).verdict == verdict


def test_figures_of_the_trainers_process_hold_where_the_server_must_be_measured() -> None:
    policy = GatePolicy(served=True)
    assert decide_promotion(make_candidate(), [make_base()], policy).verdict == "hold"
    served = [item.model_copy(update={"engine": "vllm 0.32.0"}) for item in (make_candidate(), make_base())]
    assert decide_promotion(served[0], served[1:], policy).verdict == "promote"


def test_a_judges_rubric_and_the_nearest_comment_advise_and_decide_nothing() -> None:
    arm = make_arm(adherence=_figure(2.0), correctness=_figure(2.0), same_issue=_figure(0.4))
    base = make_base().model_copy(
        update={"arms": {"base": Arm(adherence=_figure(3.0)), "nearest": Arm(same_issue=_figure(0.9))}}
    )
    decision = decide_promotion(make_candidate(arm), [base], POLICY)
    assert decision.verdict == "promote"
    assert {item.check for item in decision.reasons if item.advisory} == {
        "adherence",
        "correctness",
        "nearest",
        "regression",
    }
    assert not any(item.passed for item in decision.reasons if item.advisory)
    assert "\n  i nearest: " in describe_decision(decision)


@pytest.mark.parametrize(
    ("kept", "passed", "measured"),
    [
        (Figure(value=0.3, low=0.2, high=0.45, n=40), False, True),
        (Figure(value=0.3, low=0.1, high=0.6, n=8), True, True),
        (None, False, False),
    ],
)
def test_a_filter_that_holds_back_what_is_wanted_is_told_and_decides_nothing(
    kept: Figure | None, passed: bool, measured: bool
) -> None:
    record = AcceptanceRecord(kept=kept, precision=_figure(0.9), base_rate=_figure(0.8))
    decision = decide_promotion(make_candidate().model_copy(update={"acceptance": record}), [make_base()], POLICY)
    assert decision.verdict == "promote"
    (said,) = (item for item in decision.reasons if item.check == "acceptance")
    assert (said.passed, said.measured, said.advisory) == (passed, measured, True)


def test_what_the_base_could_do_may_not_be_forgotten() -> None:
    forgetful = make_candidate().model_copy(update={"forgetting": _forgetting(1.5)})
    assert _failed(forgetful) == ("reject", {"solutions_nll", "general_nll"})
    unasked = make_candidate().model_copy(update={"forgetting": None})
    assert _failed(unasked) == ("hold", {"forgetting"})


def _retrieval_on(count: int) -> EvalReport:
    """A baseline report whose arm `retrieval` was scored on the first rows alone."""
    every = make_base()
    some = {
        "paired": every.paired | {"retrieval": every.paired["retrieval"][:count]},
        "scored": {"retrieval": every.rows[:count]},
    }
    return every.model_copy(update=some)


def test_an_arm_that_was_scored_on_some_rows_is_paired_on_those() -> None:
    decision = decide_promotion(make_candidate(), [_retrieval_on(15)], POLICY)
    assert decision.verdict == "promote"
    assert any(item.text.startswith("15 held-out comments") for item in decision.reasons)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_an_arm_on_too_few_rows_for_an_interval_is_not_beaten(count: int) -> None:
    assert _failed(make_candidate(), _retrieval_on(count)) == ("hold", {"beats_retrieval"})


def test_a_locator_on_too_few_pull_requests_for_an_interval_holds() -> None:
    few = Figure(value=0.9, low=0.8, high=1.0, n=7)
    assert _failed(make_candidate(make_arm(location_hit=few))) == ("hold", {"location_hit"})


def test_a_lift_that_one_pull_request_made_is_none() -> None:
    """Forty rows say lift; that thirty-five of them are of one pull request, and the others say none, says luck."""
    base = make_base(retrieval=9.0)
    candidate = make_candidate()
    losses = tuple(0.5 if row < 35 else 2.5 for row in range(40))
    candidate = candidate.model_copy(update={"paired": {**candidate.paired, "candidate": losses}})
    assert check_lift(candidate, base, POLICY).passed
    of = tuple("o/r#1" if row < 35 else f"o/r#{row}" for row in range(40))
    grouped = [report.model_copy(update={"pull_requests": of}) for report in (candidate, base)]
    assert not check_lift(grouped[0], grouped[1], POLICY).passed


def test_a_report_names_a_pull_request_for_every_row_or_for_none() -> None:
    told = make_candidate().model_dump() | {"pull_requests": ("o/r#1",)}
    with pytest.raises(ValidationError, match="expected one for each of 40 rows"):
        EvalReport.model_validate(told)
