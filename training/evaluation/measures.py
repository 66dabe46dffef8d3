"""Figures from rows, with intervals. Pure numbers; no weights are loaded here."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.domain.evals import Figure
from app.domain.intervals import wilson_interval

_RESAMPLES = 2000
_SEED = 20260101
Floats = NDArray[np.float64]


def bootstrap(
    columns: Sequence[Sequence[float]],
    statistic: Callable[..., float],
    *,
    groups: Sequence[str] | None = None,
    resamples: int = _RESAMPLES,
) -> Figure | None:
    """`statistic(*columns)` with a 95 % interval from resampling rows, all columns together. None without rows.

    `groups`: by row, what it belongs to (its pull request). Then whole groups are resampled, for rows of one are no
    independent witnesses (Cameron, Gelbach and Miller 2008, the pairs cluster bootstrap); `n` stays the rows'.
    The same rows give the same interval: the resampling has its own fixed seed.
    """
    data = [np.asarray(column, dtype=np.float64) for column in columns]
    rows = len(data[0])
    if rows == 0:
        return None
    members = _group(groups if groups is not None else [str(row) for row in range(rows)])
    draw = np.random.default_rng(_SEED)
    picks = draw.integers(0, len(members), size=(resamples, len(members)))
    drawn = (np.concatenate([members[at] for at in pick]) for pick in picks)
    values = [statistic(*(column[some] for column in data)) for some in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(value=statistic(*data), low=float(low), high=float(high), n=rows)


def _group(groups: Sequence[str]) -> list[NDArray[np.int64]]:
    """Each group's rows, groups in the order in which they first come."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    return [np.asarray(rows, dtype=np.int64) for rows in members.values()]


def mean_figure(values: Sequence[float]) -> Figure | None:
    return bootstrap([values], lambda column: float(column.mean()))


def ratio_figure(parts: Sequence[float], wholes: Sequence[float]) -> Figure | None:
    """The sum of `parts` by the sum of `wholes`, resampling groups (pull requests), for rows of one group are no
    independent witnesses. `n` is the number of groups; one with an empty whole says nothing and is left out.
    """
    telling = [(part, whole) for part, whole in zip(parts, wholes, strict=True) if whole]
    columns = list(zip(*telling, strict=True))
    return bootstrap(columns, lambda part, whole: float(part.sum() / whole.sum())) if columns else None


def share_figure(hits: Sequence[bool]) -> Figure | None:
    """A share in 0..1 with its Wilson interval, which stays honest at 0 and 1 where resampling says nothing."""
    return wilson_interval(sum(hits), len(hits))


def describe_style(comment: str) -> tuple[float, float, float, float]:
    """Four habits in 0..1: length (words, 60 and more = 1), a question at the end, a code span, polite words."""
    words = comment.lower().split()
    return (
        min(1.0, len(words) / 60),
        float(comment.rstrip().endswith("?")),
        float("`" in comment),
        float(any(word.strip(",.!?") in {"please", "could", "would", "maybe", "how"} for word in words)),
    )


def style_figure(written: Sequence[str], wanted: Sequence[str]) -> Figure | None:
    """How far the habits of `written` are from those of `wanted`: mean absolute difference of their averages, 0..1."""
    ours, theirs = [describe_style(text) for text in written], [describe_style(text) for text in wanted]
    columns = [*zip(*ours, strict=True), *zip(*theirs, strict=True)]
    if not columns:
        return None
    return bootstrap(columns, _style_distance, resamples=500)


def _style_distance(*columns: Floats) -> float:
    half = len(columns) // 2
    return float(np.mean([abs(a.mean() - b.mean()) for a, b in zip(columns[:half], columns[half:], strict=True)]))
