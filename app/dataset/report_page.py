"""The dataset report as one HTML page that loads nothing and runs nothing. Pure but for its template.

Every word of other people is text there, never markup: escaped, and with characters that a page cannot hold, or that
would turn the reading order, shown by their number.
"""

from pathlib import Path
from typing import NamedTuple

from jinja2 import FileSystemLoader

from app.dataset.report import Chart, DatasetReport
from app.domain.pages import page_environment

_TEMPLATES = Path(__file__).parent / "templates"
_WIDTH, _ROW, _LABEL, _COLUMN_HEIGHT = 640, 24, 200, 120
_LABEL_CHARACTERS = 26


def render_page(report: DatasetReport) -> str:
    """The page of a report. Each figure of the report is in a `data-figure` element named by its path."""
    environment = page_environment(FileSystemLoader(_TEMPLATES))
    drawings = [_columns(chart) if chart.key == "month" else _bars(chart) for chart in report.charts]
    return environment.get_template("dataset_report.html").render(report=report, drawings=drawings)


class Shape(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    label: str
    figure: str


class Drawing(NamedTuple):
    """One picture in its own units; `kind` is bars or columns."""

    kind: str
    width: int
    height: int
    shapes: list[Shape]


def _bars(chart: Chart) -> Drawing:
    """One line per value, the longest as wide as there is room."""
    most = max((bar.count for bar in chart.bars), default=1)
    room = _WIDTH - _LABEL - 60
    shapes = [
        Shape(
            x=_LABEL,
            y=index * _ROW + 4,
            width=round(max(room * bar.count / most, 2), 1),
            height=_ROW - 8,
            label=_short(bar.name),
            figure=str(bar.count),
        )
        for index, bar in enumerate(chart.bars)
    ]
    return Drawing(kind="bars", width=_WIDTH, height=max(_ROW * len(shapes), _ROW), shapes=shapes)


def _columns(chart: Chart) -> Drawing:
    """One column per month, left to right; the table beside says each."""
    most = max((bar.count for bar in chart.bars), default=1)
    step = _WIDTH / max(len(chart.bars), 12)
    shapes = [
        Shape(
            x=round(index * step + 1, 1),
            y=round(_COLUMN_HEIGHT - _COLUMN_HEIGHT * bar.count / most, 1),
            width=round(step - 2, 1),
            height=round(max(_COLUMN_HEIGHT * bar.count / most, 2), 1),
            label=bar.name if index in (0, len(chart.bars) - 1) or bar.name.endswith("-01") else "",
            figure=str(bar.count),
        )
        for index, bar in enumerate(chart.bars)
    ]
    return Drawing(kind="columns", width=_WIDTH, height=_COLUMN_HEIGHT + 24, shapes=shapes)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_CHARACTERS else f"{name[: _LABEL_CHARACTERS - 1]}…"
