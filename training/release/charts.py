"""Pictures as numbers, which the template draws as SVG. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.domain.evals import Figure

WIDTH, HEIGHT = 640, 200
_ROW, _LABEL, _MARGIN = 26, 170, 60


class Whisker(NamedTuple):
    """A figure with its interval, in the picture's units."""

    label: str
    text: str
    y: float
    x: float
    low: float
    high: float
    chosen: bool


class Forest(NamedTuple):
    """One row per arm; smaller is to the left."""

    width: int
    height: int
    rows: list[Whisker]


class Curve(NamedTuple):
    """A line through (x, y) pairs as SVG wants them, and what its axes span."""

    width: int
    height: int
    points: str
    highest: float
    lowest: float
    last_step: int


def draw_forest(figures: Mapping[str, Figure], chosen: str) -> Forest:
    """Intervals of one measure over arms, on a common scale that starts at zero."""
    most = max((figure.high for figure in figures.values()), default=1.0) or 1.0
    room = WIDTH - _LABEL - _MARGIN

    def at(value: float) -> float:
        return round(_LABEL + room * max(value, 0.0) / most, 1)

    rows = [
        Whisker(
            label=name,
            text=f"{figure.value:.2f}",
            y=index * _ROW + _ROW / 2,
            x=at(figure.value),
            low=at(figure.low),
            high=at(figure.high),
            chosen=name == chosen,
        )
        for index, (name, figure) in enumerate(figures.items())
    ]
    return Forest(WIDTH, max(_ROW * len(rows), _ROW), rows)


def draw_curve(steps: Sequence[int], values: Sequence[float]) -> Curve | None:
    """A value over steps; None for fewer than two."""
    if len(values) < 2:
        return None
    highest, lowest = max(values), min(values)
    first, last = steps[0], steps[-1]
    across, down = (WIDTH - 20) / max(last - first, 1), (HEIGHT - 20) / (highest - lowest or 1.0)
    points = " ".join(
        f"{10 + across * (step - first):.1f},{10 + down * (highest - value):.1f}"
        for step, value in zip(steps, values, strict=True)
    )
    return Curve(WIDTH, HEIGHT, points, highest, lowest, last)
