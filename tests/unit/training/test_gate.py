"""The gate: figures in, verdict and reasons out."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused
from app.domain.evals import Arm, EvalReport, Figure, GatePolicy
from training.gate import decide_promotion, describe_decision

BASE = BaseCheckpoint(name="b", revision="r", weights_hash="w", tokenizer_hash="t", template_hash="c")
POLICY = GatePolicy()


def _figure(value: float, low: float | None = None) -> Figure:
    return Figure(value=value, low=value if low is None else low, high=value, n=40)


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
        **spread,
    )


def _arm(**changes: Figure | None) -> Arm:
    good = {"location_hit": _figure(0.9, 0.8), "false_alarm": _figure(0.03), "schema_valid": _figure(1.0)}
    return Arm.model_validate({**good, "stop": _figure(1.0), **changes})


def _candidate(arm: Arm | None = None, **losses: float) -> EvalReport:
    known: dict[str, Any] = {"candidate": 0.5, "other_hunk": 2.0} | losses
    return _report(arm=arm or _arm(), **known)


def _failed(candidate: EvalReport, *baselines: EvalReport) -> tuple[str, set[str]]:
    decision = decide_promotion(candidate, baselines or [_report(base=2.5)], POLICY)
    return decision.verdict, {reason.check for reason in decision.reasons if not reason.passed}


def test_clear_lift_is_promoted_with_every_reason() -> None:
    decision = decide_promotion(_candidate(), [_report(base=2.5)], POLICY)
    assert decision.verdict == "promote"
    text = describe_decision(decision)
    assert "0.5" in text
    assert "2.5" in text
    assert "15%" in text


@pytest.mark.parametrize(
    ("candidate", "check"),
    [
        (_candidate(candidate=2.4, other_hunk=4.0), "nll_lift"),
        (_candidate(other_hunk=0.5), "hunk_dependence"),
        (_candidate(_arm(location_hit=_figure(0.2, 0.04))), "location_hit"),
        (_candidate(_arm(false_alarm=_figure(0.2))), "false_alarm"),
        (_candidate(_arm(schema_valid=_figure(0.8))), "schema_valid"),
        (_candidate(_arm(stop=_figure(0.8))), "stop"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_figure_without_lift_or_with_harm_rejects(candidate: EvalReport, check: str) -> None:
    assert _failed(candidate) == ("reject", {check})


def test_what_was_not_measured_holds() -> None:
    assert _failed(_candidate(_arm(location_hit=None))) == ("hold", {"location_hit"})
    assert _failed(_candidate(_arm(false_alarm=None))) == ("hold", {"false_alarm"})


def test_few_rows_hold() -> None:
    small = _report(rows=5, arm=_arm(), candidate=0.5, other_hunk=2.0)
    assert _failed(small, _report(rows=5, base=2.5)) == ("hold", {"heldout_rows"})


def test_tone_alone_is_rejected() -> None:
    """Comments shuffled over lines: a large drop of loss, and the hunk does not matter."""
    verdict, checks = _failed(_candidate(candidate=1.0, other_hunk=1.0))
    assert verdict == "reject"
    assert checks == {"hunk_dependence"}


def test_a_worse_adapter_than_the_one_in_use_is_rejected() -> None:
    assert _failed(_candidate(), _report(base=2.5), _report(current=0.3)) == ("reject", {"current"})
    assert _failed(_candidate(), _report(base=2.5), _report(current=0.5))[0] == "promote"


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "su1:b"},
        {"prompt_version": "p0"},
        {"precision": "float32"},
        {"base": BASE.model_copy(update={"revision": "other"})},
        {"rows": ("another",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_reports_of_different_things_do_not_compare(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="do not compare"):
        decide_promotion(_candidate(), [_report(base=2.5).model_copy(update=change)], POLICY)


def test_a_report_of_the_wrong_side_is_named() -> None:
    with pytest.raises(Refused, match="no baseline report holds a base arm"):
        decide_promotion(_candidate(), [_candidate()], POLICY)
    with pytest.raises(Refused, match="no candidate arm"):
        decide_promotion(_report(base=2.5), [_report(base=2.5)], POLICY)
