"""The rehearsal's report as one HTML page: pictures of what was found, and what to read."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.domain.examples import Example, ExampleKind
from app.rehearsal.backtest import PullBacktest, measure_backtest, pair_remarks, spell_share

_TEMPLATES = Path(__file__).parent / "templates"
_SAMPLES = 10

Chart = tuple[str, list[tuple[str, int, int]]]


def render_report(report: dict[str, Any], examples: list[Example], pulls: tuple[PullBacktest, ...]) -> str:
    """Everything from other people's pull requests is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    comments = [example for example in examples if example.kind is ExampleKind.REVIEW_COMMENT]
    step = max(1, len(comments) // _SAMPLES)
    return environment.get_template("report.html").render(
        report={"learning": None, "review": None, "host": "", **report},
        charts=[
            _chart("What git shows became of the commented lines", report["harvest"]["evidence"]),
            _chart("Threads that became no Example, by reason", report["harvest"]["rejections"]),
        ],
        backtest=_backtest(pulls) if pulls else None,
        pairs=[pair for pull in pulls for pair in pair_remarks(pull)],
        samples=comments[::step][:_SAMPLES],
    )


def _backtest(pulls: tuple[PullBacktest, ...]) -> list[tuple[str, str]]:
    """Rows of a table: what was counted, and how much."""
    figures = measure_backtest(pulls)
    return [
        ("Pull requests reviewed", f"{figures.reviewed} of {figures.pull_requests}"),
        ("… without a word", str(figures.silent)),
        ("Comments it would have made", f"{figures.findings}; {figures.median_findings:g} on a pull request (median)"),
        ("… on a line that git shows in the diff", f"{figures.placed} of {figures.findings}"),
        ("… where people commented too", spell_share(figures.precision)),
        ("… whose lines changed afterwards", spell_share(figures.ours_changed)),
        ("Comments people made on the same commits", str(figures.remarks)),
        ("… that it would have made too", spell_share(figures.recall)),
        ("… whose lines changed afterwards", spell_share(figures.theirs_changed)),
        ("Comments people made on later commits, which it was not shown", str(figures.later_remarks)),
    ]


def _chart(title: str, counts: dict[str, int]) -> Chart:
    most = max(counts.values(), default=1)
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return title, [(name, count, round(100 * count / most)) for name, count in rows]
