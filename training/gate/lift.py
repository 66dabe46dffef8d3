"""Is it better? Against the base, the best prompts, the controls, and the adapter in use, on the same held-out rows."""

from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.evals import EvalReport, GatePolicy, Reason
from training.evaluation.measures import Floats, bootstrap
from training.gate.reasons import nats, share, unmeasured

#: What each arm is, for a person.
_SPELLED = {
    "prompt": "the bare base under the best wording",
    "few_shot": "the bare base that is shown some of this team's comments",
    "retrieval": "the bare base that is shown the comments on the most similar past hunks",
    "random_subset": "an adapter trained on a random subset of the same size",
    "inverted": "an adapter trained on what the team did not act on",
    "shuffled": "an adapter trained on the same comments under other hunks",
}


def check_rows(candidate: EvalReport, policy: GatePolicy) -> Reason:
    count = len(candidate.rows)
    return Reason(
        check="heldout_rows",
        passed=count >= policy.heldout_rows,
        measured=count >= policy.heldout_rows,
        text=f"{count} held-out comments; at least {policy.heldout_rows} are needed to tell lift from luck",
    )


def check_lift(candidate: EvalReport, base: EvalReport, policy: GatePolicy) -> Reason:
    figure = bootstrap([candidate.paired["candidate"], base.paired["base"]], _relative_drop, groups=groups(candidate))
    if figure is None:
        return unmeasured("nll_lift", "no held-out row was scored")
    before, after = np.mean(base.paired["base"]), np.mean(candidate.paired["candidate"])
    return Reason(
        check="nll_lift",
        passed=figure.low >= policy.nll_lift,
        text=(
            f"held-out comments cost {after:.3f} nats a token, {before:.3f} with the bare base: {share(figure)} less; "
            f"the lower bound must reach {policy.nll_lift:.0%}"
        ),
    )


def check_hunk_dependence(candidate: EvalReport, policy: GatePolicy) -> Reason:
    strangers = candidate.paired.get("other_hunk")
    if strangers is None:
        return unmeasured("hunk_dependence", "the control arm other_hunk is missing")
    figure = bootstrap([strangers, candidate.paired["candidate"]], _difference, groups=groups(candidate))
    if figure is None:
        return unmeasured("hunk_dependence", "no held-out row was scored")
    return Reason(
        check="hunk_dependence",
        passed=figure.low > policy.hunk_dependence,
        text=(
            f"the same comments cost {nats(figure)} more under another row's hunk; the lower bound must be above "
            f"{policy.hunk_dependence:g}, else tone alone was learned. It shows that the words hang on the "
            "hunk, not whose they are: another team's adapter may pass"
        ),
    )


def check_arms(candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy) -> Iterator[Reason]:
    """Prompting without weights must be beaten, and so must every control that was trained."""
    measured = {name: report for report in (*baselines, candidate) for name in report.paired}
    for name in policy.must_beat:
        if name not in measured:
            yield unmeasured(f"beats_{name}", f"no report holds the arm {name}; it must be beaten")
    for name in (*policy.must_beat, *policy.beat_if_measured):
        if name in measured:
            yield _check_arm(name, measured[name], candidate, policy)


def _check_arm(name: str, report: EvalReport, candidate: EvalReport, policy: GatePolicy) -> Reason:
    ours = dict(zip(candidate.rows, candidate.paired["candidate"], strict=True))
    rows = report.scored.get(name, report.rows)
    of = groups(candidate, rows)
    figure = bootstrap([report.paired[name], [ours[row] for row in rows]], _difference, groups=of)
    if figure is None or len(set(of)) < policy.least_rows:
        why = (
            f"{len(rows)} held-out comments of {len(set(of))} pull requests were scored; {policy.least_rows} are "
            "needed for an interval"
        )
        return unmeasured(f"beats_{name}", why)
    return Reason(
        check=f"beats_{name}",
        passed=figure.low > 0,
        text=(
            f"{figure.n} held-out comments cost {nats(figure)} less than with {_SPELLED.get(name, name)}; the "
            "lower bound must be above 0"
        ),
    )


def check_current(candidate: EvalReport, baselines: Sequence[EvalReport], policy: GatePolicy) -> Iterator[Reason]:
    for report in baselines:
        if "current" not in report.paired:
            continue
        of = groups(candidate)
        figure = bootstrap([report.paired["current"], candidate.paired["candidate"]], _difference, groups=of)
        if figure is not None:
            yield Reason(
                check="current",
                passed=figure.low >= -policy.current_loss,
                text=(
                    f"against the adapter in use ({report.adapter}) held-out comments cost {nats(figure)} less; the "
                    f"lower bound must be at least -{policy.current_loss:g}"
                ),
            )


def groups(report: EvalReport, rows: Sequence[str] | None = None) -> list[str]:
    """What is resampled for each of `rows` (all of the report's): its pull request, or itself where none is told."""
    told = report.pull_requests or report.rows
    known = dict(zip(report.rows, told, strict=True))
    return [known[row] for row in (report.rows if rows is None else rows)]


def _relative_drop(after: Floats, before: Floats) -> float:
    return float(1 - after.mean() / before.mean())


def _difference(more: Floats, less: Floats) -> float:
    return float(more.mean() - less.mean())
