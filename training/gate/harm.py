"""Does it do harm? Noise on clean code, answers of no shape, prompts that got worse, secrets that come out again."""

from collections.abc import Iterator, Sequence

from app.domain.evals import Arm, EvalReport, GatePolicy, Reason, SpotCheck
from training.evaluation.regression import diff_regressions
from training.forgetting.deciding import decide_forgetting
from training.gate.reasons import share, share_reason, unmeasured

#: Pairs below which a person's verdict says nothing: one answer more or less would be over a tenth.
_LEAST_PAIRS = 10
#: Names of regressed prompts and extracted strings that a reason shows.
_SHOWN = 5
_NOT_ASKED = (
    "the candidate was asked no pinned prompts: none were named (--pinned FILE), and no runner but the local one "
    "takes them along"
)
_NOT_HELD = "pinned prompts are asked of adapters only, and no version in use was asked the same"


def check_places(candidate: EvalReport, policy: GatePolicy) -> Iterator[Reason]:
    arm, chance = candidate.arms["candidate"], candidate.arms.get("chance", Arm()).location_hit
    hit = arm.location_hit
    if hit is None or chance is None:
        yield unmeasured("location_hit", "; ".join(candidate.notes) or "no Locator was measured")
    elif hit.n < policy.least_rows:
        why = f"{hit.n} held-out pull requests have commented lines; {policy.least_rows} are needed for an interval"
        yield unmeasured("location_hit", why)
    else:
        yield Reason(
            check="location_hit",
            passed=hit.low > chance.high,
            text=(
                f"{share(hit)} of the commented lines are found within five a pull request; as many random lines of "
                f"the same pull requests find {share(chance)}, whose upper bound the lower bound must exceed"
            ),
        )
    yield share_reason("false_alarm", arm.false_alarm, policy.false_alarm, most=True, of="clean hunks are disturbed")


def check_form(arm: Arm, policy: GatePolicy) -> Iterator[Reason]:
    yield share_reason(
        "schema_valid", arm.schema_valid, policy.schema_valid, most=False, of="free answers have the agreed shape"
    )
    yield share_reason("stop", arm.stop, policy.stop, most=False, of="answers end by themselves")


def check_engine(candidate: EvalReport, policy: GatePolicy) -> Iterator[Reason]:
    if policy.served:
        served = candidate.engine.startswith("vllm")
        yield Reason(
            check="served",
            passed=served,
            measured=served,
            text=f"measured by {candidate.engine}, {candidate.precision}; the server that will answer must be measured",
        )


def check_regressions(candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy) -> Iterator[Reason]:
    """Pinned prompts against the adapter in use where there is one, else against the base.

    Where a side was not asked, that is advice: a first version has nothing before it, and a round elsewhere no prompts.
    """
    after = candidate.regression
    known = [report for report in baselines if report.regression is not None]
    before = next((item for item in known if "current" in item.paired), known[0] if known else None)
    if after is None or before is None or before.regression is None:
        yield unmeasured("regression", _NOT_ASKED if after is None else _NOT_HELD).model_copy(update={"advisory": True})
        return
    if before.regression.set_id != after.set_id:
        yield unmeasured("regression", f"the pinned prompts differ ({before.regression.set_id}, {after.set_id})")
        return
    worse = diff_regressions(before.regression, after)
    yield Reason(
        check="regression",
        passed=len(worse) <= policy.regressions,
        text=(
            f"{len(worse)} of {len(after.prompts)} pinned prompts passed with {before.adapter or 'the base'} and fail "
            f"now{_shown(worse)}; at most {policy.regressions} may"
        ),
    )


def check_forgetting(candidate: EvalReport, base: EvalReport, policy: GatePolicy) -> Iterator[Reason]:
    """Paired, problem by problem: what the base could do that is no review."""
    if candidate.forgetting is None or base.forgetting is None:
        yield unmeasured("forgetting", "a report does not say what the base could do besides reviewing")
        return
    yield from decide_forgetting(
        base.forgetting, candidate.forgetting, programs=policy.forgotten_programs, nll=policy.forgotten_nll
    )


def check_canaries(candidate: EvalReport) -> Iterator[Reason]:
    record = candidate.canaries
    if record is None:
        yield unmeasured("canaries", "nobody tried to get a training row's own strings out")
        return
    if not record.planted:
        why = (
            "nothing to get out: no training comment alone holds an e-mail address or a word with three digits that "
            "could be asked for, so this says nothing about what the adapter would keep"
        )
        yield unmeasured("canaries", why, advisory=True)
        return
    yield Reason(
        check="canaries",
        passed=not record.extracted,
        text=(
            f"{len(record.extracted)} of {record.planted} strings that one training row alone holds came out again"
            f" ({record.method}; the report's file names them, no page does); none may"
        ),
    )


def check_spot(candidate: EvalReport, spot: SpotCheck | None, policy: GatePolicy) -> Iterator[Reason]:
    """A person's blind verdict on this very adapter and suite; one on another is none."""
    if spot is None or (spot.adapter, spot.suite) != (candidate.adapter, candidate.suite):
        if policy.spot_check == "required":
            yield unmeasured("spot_check", "the policy wants a person's blind verdict on this adapter; there is none")
        return
    if spot.pairs < _LEAST_PAIRS:
        yield unmeasured("spot_check", f"{spot.by} judged {spot.pairs} pairs of answers; {_LEAST_PAIRS} are needed")
        return
    refused = spot.refused_adapter / spot.pairs
    yield Reason(
        check="spot_check",
        passed=refused <= policy.spot_refused,
        text=(
            f"{spot.by} would not have shipped {spot.refused_adapter} of {spot.pairs} answers ({spot.refused_base} of "
            f"the base's); at most {policy.spot_refused:.0%} may be so"
        ),
    )


def _shown(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f" ({', '.join(names[:_SHOWN])}{more})"
