"""What a reader should know and no verdict rests on: the judge's rubric, and the arm without any weights."""

from collections.abc import Iterator, Sequence

from app.domain.evals import Arm, EvalReport, GatePolicy, Reason
from training.gate.reasons import share, unmeasured

#: Share of the comments that were acted on which a filter must let pass, by the interval's upper bound.
_LEAST_KEPT = 0.5


def advise(candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy) -> Iterator[Reason]:
    arms = {name: arm for report in baselines for name, arm in report.arms.items()}
    arm = candidate.arms["candidate"]
    yield from _rubric(arm, arms.get("base", Arm()), policy)
    yield from _acceptance(candidate)
    nearest = arms.get("nearest", Arm()).same_issue
    if arm.same_issue is not None and nearest is not None:
        yield Reason(
            check="nearest",
            passed=arm.same_issue.value >= nearest.value,
            advisory=True,
            text=(
                f"{share(arm.same_issue)} name the reference's issue; repeating the comment of the most similar past "
                f"hunk, without any model, does so in {share(nearest)}"
            ),
        )


def _acceptance(candidate: EvalReport) -> Iterator[Reason]:
    """A filter that surely holds back most of what the team acts on does more harm than none."""
    record = candidate.acceptance
    if record is None:
        return
    if record.kept is None:
        why = "no held-out comment that was acted on, so nothing says what the AcceptanceFilter keeps"
        yield unmeasured("acceptance", why, advisory=True)
        return
    came = "nothing passes" if record.precision is None else f"{share(record.precision)} of what passes was acted on"
    without = "" if record.base_rate is None else f", {share(record.base_rate)} of everything"
    yield Reason(
        check="acceptance",
        passed=record.kept.high >= _LEAST_KEPT,
        advisory=True,
        text=(
            f"the AcceptanceFilter lets pass {share(record.kept)} of the {record.kept.n} held-out comments that were "
            f"acted on; {came}{without}; the upper bound of what it lets pass must reach {_LEAST_KEPT:.0%}"
        ),
    )


def _rubric(arm: Arm, base: Arm, policy: GatePolicy) -> Iterator[Reason]:
    """The guides' default pass: adherence 15 % above the baseline, correctness 4 of 5 or the data is suspect."""
    if arm.adherence is not None and base.adherence is not None:
        gain = arm.adherence.value / base.adherence.value - 1
        yield Reason(
            check="adherence",
            passed=gain >= policy.adherence_gain,
            advisory=True,
            text=(
                f"the judge gives {arm.adherence.value:.1f} of 5 for keeping to the team's conventions, "
                f"{base.adherence.value:.1f} to the base: {gain:+.0%}; {policy.adherence_gain:+.0%} is usual"
            ),
        )
    if arm.correctness is not None:
        yield Reason(
            check="correctness",
            passed=arm.correctness.value >= policy.correctness,
            advisory=True,
            text=(
                f"the judge gives {arm.correctness.value:.1f} of 5 for being right "
                f"({arm.correctness.low:.1f} to {arm.correctness.high:.1f}); under {policy.correctness:g} the data is "
                "suspect"
            ),
        )
