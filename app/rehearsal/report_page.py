"""The rehearsal's report as one HTML page: pictures of what was found, and what to read."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.domain.examples import Example, ExampleKind

_TEMPLATES = Path(__file__).parent / "templates"
_SAMPLES = 10

Chart = tuple[str, list[tuple[str, int, int]]]


def render_report(report: dict[str, Any], examples: list[Example], findings: list[dict[str, Any]]) -> str:
    """Everything from other people's pull requests is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    comments = [example for example in examples if example.kind is ExampleKind.REVIEW_COMMENT]
    step = max(1, len(comments) // _SAMPLES)
    return environment.get_template("report.html").render(
        report={"learning": None, **report},
        charts=[
            _chart("What git shows became of the commented lines", report["harvest"]["evidence"]),
            _chart("Threads that became no Example, by reason", report["harvest"]["rejections"]),
        ],
        findings=findings,
        samples=comments[::step][:_SAMPLES],
    )


def _chart(title: str, counts: dict[str, int]) -> Chart:
    most = max(counts.values(), default=1)
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return title, [(name, count, round(100 * count / most)) for name, count in rows]
