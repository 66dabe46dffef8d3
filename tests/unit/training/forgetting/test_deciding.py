"""What counts as forgotten, as kept, and as not known."""

import pytest

from app.domain.evals import Forgetting, GatePolicy, Reason
from training.forgetting.deciding import chance_of_loss, decide_forgetting, lower_bound

_POLICY = GatePolicy()


def _programs(solved: int, lost: int = 0, gained: int = 0, of: int = 164) -> tuple[Forgetting, Forgetting]:
    before = [index < solved for index in range(of)]
    after = list(before)
    after[:lost] = [False] * lost
    after[solved : solved + gained] = [True] * gained
    return _side(humaneval=tuple(before)), _side(humaneval=tuple(after))


def _side(**vectors: tuple[bool, ...] | tuple[float, ...]) -> Forgetting:
    off = {name: "off: 0" for name in ("humaneval", "mbpp", "solutions_nll", "general_nll") if name not in vectors}
    return Forgetting.model_validate({"texts": dict.fromkeys(vectors, "h"), "not_measured": off, **vectors})


def _only(base: Forgetting, candidate: Forgetting) -> Reason:
    (reason,) = _decide(base, candidate)
    return reason


def _decide(base: Forgetting, candidate: Forgetting) -> list[Reason]:
    """Under the limits that the gate has."""
    return decide_forgetting(base, candidate, programs=_POLICY.forgotten_programs, nll=_POLICY.forgotten_nll)


@pytest.mark.parametrize(
    ("solved", "lost", "gained", "verdict"),
    [
        (80, 0, 0, "kept"),
        (80, 2, 0, "kept"),  # 1.2 points
        (80, 4, 4, "kept"),
        (80, 12, 6, "unknown"),  # 3.7 points, but its bound is beyond five
        (80, 9, 0, "lost"),  # 5.5 points, and no coin does that
        (80, 30, 5, "lost"),
        (80, 30, 21, "unknown"),  # 5.5 points, which coins do often
    ],
)
def test_programs(solved: int, lost: int, gained: int, verdict: str) -> None:
    reason = _only(*_programs(solved, lost, gained))
    assert (reason.passed, reason.measured) == {
        "kept": (True, True),
        "lost": (False, True),
        "unknown": (False, False),
    }[verdict]
    assert f"{lost} lost, {gained} gained" in reason.text


def test_a_base_that_solves_nothing_says_that_it_cannot_tell() -> None:
    programs, nothing = _decide(*_programs(3, lost=3))
    assert (programs.passed, programs.measured, programs.advisory) == (False, False, True)
    assert "too few for a loss" in programs.text
    assert (nothing.check, nothing.measured, nothing.advisory) == ("forgetting", False, False)


def test_known_solutions_tell_where_the_base_solves_nothing() -> None:
    base, candidate = _programs(3, lost=3)
    known: dict[str, object] = {"solutions_nll": (1.0,) * 24, "texts": {"humaneval": "h", "solutions_nll": "h"}}
    off = dict.fromkeys(("mbpp", "general_nll"), "off: 0")
    sides = [side.model_copy(update=known | {"not_measured": off}) for side in (base, candidate)]
    programs, losses = _decide(*sides)
    assert programs.advisory
    assert (losses.check, losses.passed, losses.advisory) == ("solutions_nll", True, False)


def test_a_handful_of_unchanged_problems_proves_nothing() -> None:
    reason = _only(*_programs(8, of=12))
    assert not reason.passed
    assert not reason.measured


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ((1.0, 1.0), (True, True)),
        ((0.9, 0.95), (True, True)),
        ((1.01, 1.02), (True, True)),
        ((1.14, 1.15), (True, True)),
        ((1.2, 1.21), (False, True)),
        ((0.8, 1.6), (False, False)),  # twenty per cent in the middle, and no way to know
    ],
)
def test_losses(factors: tuple[float, float], verdict: tuple[bool, bool]) -> None:
    base = tuple(1.0 + index % 5 / 10 for index in range(40))
    after = tuple(value * factors[index % 2] for index, value in enumerate(base))
    reason = _only(_side(general_nll=base), _side(general_nll=after))
    assert (reason.passed, reason.measured) == verdict


def test_a_missing_sandbox_holds() -> None:
    base, candidate = _programs(80)
    broken = candidate.model_copy(update={"humaneval": (), "not_measured": {"humaneval": "no sandbox: none here"}})
    (reason, *_) = _decide(base, broken)
    assert not reason.passed
    assert not reason.measured
    assert "no sandbox: none here" in reason.text


def test_other_texts_do_not_compare() -> None:
    base, candidate = _programs(80)
    other = candidate.model_copy(update={"texts": {"humaneval": "other"}})
    reason = _only(base, other)
    assert not reason.measured
    assert "different texts" in reason.text


def test_nothing_asked_is_nothing_known() -> None:
    reason = _only(_side(), _side())
    assert not reason.passed
    assert not reason.measured


def test_the_bound_and_the_coins() -> None:
    # 9 of 164 lost: the normal approximation gives -0.0549 - 1.645 * 0.0178 = -0.084
    assert lower_bound([True] * 164, [index >= 9 for index in range(164)]) == pytest.approx(-0.084, abs=0.004)
    assert lower_bound([True] * 100, [True] * 100) == pytest.approx(-0.03)
    assert chance_of_loss(5, 0) == pytest.approx(1 / 32)
    assert chance_of_loss(3, 3) == pytest.approx(42 / 64)
    assert chance_of_loss(0, 0) == 1
