"""Pictures as numbers for SVG, drawn by the templates. Pure."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from app.domain.evals import Figure

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 28
#: Points of one line; a screen shows no more.
_POINTS = 300


class Tick(NamedTuple):
    at: float
    label: str


class Curve(NamedTuple):
    """One stage's loss over its steps. `path` are the points of a polyline."""

    stage: str
    path: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    first: float
    last: float
    steps: int


class Point(NamedTuple):
    stage: str
    step: int
    loss: float


def draw_curves(points: Sequence[Point]) -> list[Curve]:
    """A curve for each stage that has at least two points, in the order in which they began."""
    drawn = []
    for stage, group in groupby(points, key=lambda point: point.stage):
        found = list({point.step: point for point in group}.values())
        if len(found) > 1:
            drawn.append(_draw(stage, sorted(found, key=lambda point: point.step)))
    return drawn


def _draw(stage: str, points: list[Point]) -> Curve:
    every = -(-len(points) // _POINTS)
    kept = points[:-1:every] + points[-1:]
    low, high = min(point.loss for point in points), max(point.loss for point in points)
    first, last = points[0].step, points[-1].step
    reach = (high - low) or 1.0

    def x(step: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (step - first) / max(1, last - first)

    def y(loss: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - loss) / reach

    return Curve(
        stage=stage,
        path=" ".join(f"{x(point.step):.1f},{y(point.loss):.1f}" for point in kept),
        across=tuple(Tick(round(x(step), 1), str(round(step))) for step in (first, (first + last) / 2, last)),
        up=tuple(Tick(round(y(loss), 1), f"{loss:.3g}") for loss in (high, (high + low) / 2, low)),
        first=points[0].loss,
        last=points[-1].loss,
        steps=last,
    )


class Strip(NamedTuple):
    """A figure on a scale: where the dot and its interval stand, in percent of the width; `zero` where 0 is."""

    low: float
    value: float
    high: float
    zero: float


def strip(figure: Figure | None, low: float = 0.0, high: float = 1.0) -> Strip | None:
    if figure is None:
        return None

    def place(value: float) -> float:
        return round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 1)

    return Strip(place(figure.low), place(figure.value), place(figure.high), place(0.0))
