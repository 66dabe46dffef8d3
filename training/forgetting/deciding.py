"""Did it forget? One pure function from two vectors of the same problems to reasons of the gate.

Paired, because 164 problems tell two points apart only problem by problem: unpaired, the standard error alone is 3.9
points at a pass rate of one half.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy.stats import binomtest

from app.domain.evals import Forgetting, Reason
from training.evaluation.measures import Floats, bootstrap
from training.forgetting.measuring import OFF

_RESAMPLES = 4000
_SEED = 20260102
_CERTAIN = 0.05
Programs = Literal["humaneval", "mbpp"]
Losses = Literal["solutions_nll", "general_nll"]
_SPELLED = {"solutions_nll": "known solutions", "general_nll": "general text"}


def decide_forgetting(base: Forgetting, candidate: Forgetting, *, programs: float, nll: float) -> list[Reason]:
    """One reason a measure that was asked for, and one that holds where none of them could tell.

    `programs` is the share of programs that may be lost, `nll` the relative rise that may be (practitioners' guides:
    two or three points lost are acceptable with a clear gain, more than five are a failure). Worse beyond the limit by
    an interval's bound, or by the exact test, fails. Programs pass when the bound is within the limit, a likelihood
    when its figure is: of a dozen texts the bound would seldom be. What does neither counts as not measured, so the
    gate holds.
    """
    reasons = [
        *(reason for name in ("humaneval", "mbpp") for reason in _check_programs(name, base, candidate, programs)),
        *(reason for name in ("solutions_nll", "general_nll") for reason in _check_losses(name, base, candidate, nll)),
    ]
    if all(reason.advisory for reason in reasons):
        reasons.append(_unmeasured("forgetting", "every measure of it is off, or cannot tell with this base"))
    return reasons


def lower_bound(before: Sequence[bool], after: Sequence[bool]) -> float:
    """One-sided 95 % bound of the change of pass@1 (shares; negative is a loss), by resampling problems.

    Where no problem changed, resampling says that none ever could; there the rule of three (3/n) stands in.
    """
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    if not change.any():
        return -3 / len(change)
    picks = np.random.default_rng(_SEED).integers(0, len(change), size=(_RESAMPLES, len(change)))
    return float(np.percentile(change[picks].mean(axis=1), 5))


def chance_of_loss(lost: int, gained: int) -> float:
    """McNemar's exact test, one-sided: how often fair coins would lose as many of the problems that changed."""
    return float(binomtest(lost, lost + gained, alternative="greater").pvalue) if lost + gained else 1.0


def _check_programs(name: Programs, base: Forgetting, candidate: Forgetting, limit: float) -> Iterator[Reason]:
    before, after = getattr(base, name), getattr(candidate, name)
    broken = _why_not(name, base, candidate)
    if broken is not None:
        yield from broken
        return
    lost = sum(was and not now for was, now in zip(before, after, strict=True))
    gained = sum(now and not was for was, now in zip(before, after, strict=True))
    change, bound, chance = (gained - lost) / len(before), lower_bound(before, after), chance_of_loss(lost, gained)
    if sum(before) <= limit * len(before):
        text = (
            f"the base itself solves {sum(before)} of {len(before)}, too few for a loss of {limit:.0%} to show; "
            "the likelihood of known solutions tells"
        )
        yield _unmeasured(name, text, advisory=True)
        return
    yield Reason(
        check=name,
        passed=bound >= -limit,
        measured=bound >= -limit or (change < -limit and chance < _CERTAIN),
        text=(
            f"{sum(after)} of {len(after)} programs pass, {sum(before)} with the base: {lost} lost, {gained} gained "
            f"(exact one-sided p = {chance:.2g}), {change:+.1%} with a lower bound of {bound:+.1%}, which must be at "
            f"least {-limit:.0%}"
        ),
    )


def _check_losses(name: Losses, base: Forgetting, candidate: Forgetting, limit: float) -> Iterator[Reason]:
    broken = _why_not(name, base, candidate)
    if broken is not None:
        yield from broken
        return
    figure = bootstrap([getattr(candidate, name), getattr(base, name)], _relative_rise)
    if figure is None:
        yield _unmeasured(name, "no row of it was scored")
        return
    yield Reason(
        check=name,
        passed=figure.value <= limit,
        measured=figure.value <= limit or figure.low > limit,
        text=(
            f"{_SPELLED[name]}: {figure.value:+.1%} ({figure.low:+.1%} to {figure.high:+.1%}) nats a token against the "
            f"base ({figure.n} texts); at most {limit:+.0%} may be, and more by the lower bound is a failure"
        ),
    )


def _relative_rise(after: Floats, before: Floats) -> float:
    return float(after.mean() / before.mean() - 1)


def _why_not(name: str, base: Forgetting, candidate: Forgetting) -> list[Reason] | None:
    """None where both sides measured the same texts. No reason at all where both were told not to."""
    words = [side.not_measured.get(name) for side in (base, candidate)]
    if all(word is not None and word.startswith(OFF) for word in words):
        return []
    for side, word in zip(("base", "candidate"), words, strict=True):
        if word is not None:
            return [_unmeasured(name, f"{side}: {word}")]
    sizes = len(getattr(base, name)), len(getattr(candidate, name))
    if base.texts.get(name) != candidate.texts.get(name) or sizes[0] != sizes[1]:
        return [_unmeasured(name, "base and candidate were measured on different texts; measure both again")]
    return None if sizes[0] else [_unmeasured(name, "no report holds it")]


def _unmeasured(check: str, why: str, *, advisory: bool = False) -> Reason:
    return Reason(check=check, passed=False, measured=False, advisory=advisory, text=f"not measured: {why}")
