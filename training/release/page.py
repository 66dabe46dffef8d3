"""The gate's report as one HTML page that loads nothing and runs nothing: the verdict first, then what it stands on."""

from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader

from app.domain.evals import Arm, Figure, Reason
from app.domain.pages import page_environment
from training.release.charts import Curve, Forest, draw_curve, draw_forest
from training.release.folder import RunFolder

_TEMPLATES = Path(__file__).parent / "templates"
_VERDICTS = {
    "promote": "This version is better than what it replaces on reviews that it never saw. It may be used.",
    "hold": "Too little was measured to say. Nothing is used until it is.",
    "reject": "A figure says no lift, or harm. This version is not used.",
}
#: Measures of an arm, in the order of the table.
MEASURES = {
    "nll": "nats per token",
    "same_issue": "names the team's issue",
    "style_distance": "distance in style",
    "schema_valid": "agreed shape",
    "stop": "ends by itself",
    "location_hit": "commented lines found",
    "false_alarm": "clean hunks disturbed",
    "line_auc": "line AUC",
    "top_precision": "precision of top five",
    "top_recall": "recall of top five",
    "calibration": "calibration error",
    "correctness": "right (judge, 1–5)",
    "adherence": "keeps conventions (judge, 1–5)",
    "completeness": "complete (judge, 1–5)",
}
_SHOWN_SAMPLES = 12


class SideBySide(NamedTuple):
    """A held-out hunk, what the team said, and what each side said."""

    prompt: str
    reference: str
    base: str
    candidate: str


def render_page(run: RunFolder) -> str:
    arms = run.arms
    names = [name for name in MEASURES if any(getattr(arm, name) is not None for arm in arms.values())]
    return (
        _environment()
        .get_template("report.html")
        .render(
            run=run,
            said=_VERDICTS[run.decision.verdict],
            measures={name: MEASURES[name] for name in names},
            cells={arm: [spell(getattr(figures, name)) for name in names] for arm, figures in arms.items()},
            forest=_forest(arms),
            loss=_curve(run),
            samples=pair_samples(run),
            marks=[(mark(reason), reason) for reason in run.decision.reasons],
            cost=list_cost(run),
        )
    )


def spell(figure: Figure | None) -> str:
    """A figure with its interval and rows; a dash is not measured, never zero."""
    return "–" if figure is None else f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g}), n {figure.n}"


def mark(reason: Reason) -> str:
    if reason.advisory:
        return "advice"
    return "not measured" if not reason.measured else "passed" if reason.passed else "failed"


def pair_samples(run: RunFolder) -> list[SideBySide]:
    """The same held-out hunks under the base and the candidate, as many as a person reads."""
    base = next((report for report in run.baselines if "base" in report.answers), None)
    if base is None or "candidate" not in run.candidate.answers:
        return []
    before = dict(zip((item.example for item in base.samples), base.answers["base"], strict=True))
    return [
        SideBySide(sample.prompt, sample.reference, before.get(sample.example, ""), answer)
        for sample, answer in zip(run.candidate.samples, run.candidate.answers["candidate"], strict=True)
    ][:_SHOWN_SAMPLES]


def list_cost(run: RunFolder) -> dict[str, str]:
    """What the round took: seconds by stage, and the training's tokens and speed."""
    cost = {stage: f"{seconds:.0f} s" for stage, seconds in run.seconds.items()}
    if run.training:
        cost["trained on"] = f"{run.training['tokens']:,} tokens in {run.training['steps']} steps"
        cost["speed"] = f"{run.training['tokens_per_second']:.0f} tokens/s"
    return cost


def _forest(arms: dict[str, Arm]) -> Forest | None:
    figures = {name: arm.nll for name, arm in arms.items() if arm.nll is not None}
    return draw_forest(figures, "candidate") if figures else None


def _curve(run: RunFolder) -> Curve | None:
    return draw_curve([item.step for item in run.steps], [item.loss for item in run.steps])


def _environment() -> Environment:
    return page_environment(FileSystemLoader(_TEMPLATES))
