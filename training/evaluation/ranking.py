"""How a score orders the lines of pull requests, whatever its threshold.

Protocol of the public baseline: all lines in one ranking for the AUC; for precision and recall the five likeliest lines
of each pull request. Intervals resample pull requests, for lines of one are no independent witnesses.

A resample only says how often each pull request is in it, and every measure is sums over pull requests (the AUC over
pairs of them), so a thousand resamples cost one pass over the lines.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.evals import Figure
from training.scores.lines import Lines
from training.scores.text_scores import Floats

#: Comments in one review.
PER_PULL = 5
_BINS = 10
_RESAMPLES = 2000
_SEED = 20260101


@dataclass(frozen=True)
class Ranking:
    """`n` of each figure is the number of pull requests. Precision and recall of the top are over all of them together.

    `calibration` is the expected calibration error in 0..1, ten bins of equally many lines. None: no line was commented
    on, or each was.
    """

    line_auc: Figure | None
    top_precision: Figure | None
    top_recall: Figure | None
    calibration: Figure | None


@dataclass(frozen=True)
class _Tally:
    """Sums by pull request. `over[i, j]`: pairs of a commented line of i and a silent one of j in order, ties half.

    `promised` and `came` are by pull request and bin of score.
    """

    commented: Floats
    silent: Floats
    over: Floats
    picked: Floats
    hits: Floats
    promised: Floats
    came: Floats


def measure_ranking(lines: Lines, scores: Floats) -> Ranking:
    """`scores`: a probability in 0..1 for each of the lines, in order."""
    tally = _count(lines, scores)
    return _measure(tally, lambda weights: _values(tally, weights))


def compare_rankings(lines: Lines, ours: Floats, theirs: Floats) -> Ranking:
    """Ours minus theirs on the same pull requests: an interval above 0 says ours is better, for calibration worse."""
    one, other = _count(lines, ours), _count(lines, theirs)
    return _measure(one, lambda weights: _values(one, weights) - _values(other, weights))


def pick_top(lines: Lines, scores: Floats) -> list[NDArray[np.int64]]:
    """The PER_PULL likeliest lines of each pull request, likeliest first; ties keep reading order."""
    return [here[np.argsort(-scores[here], kind="stable")[:PER_PULL]] for here in split_by_pull(lines)]


def split_by_pull(lines: Lines) -> list[NDArray[np.int64]]:
    """Indices of the lines of each pull request."""
    return [np.flatnonzero(lines.pulls == pull) for pull in np.unique(lines.pulls)]


def _bins(scores: Floats) -> list[NDArray[np.int64]]:
    return np.array_split(np.argsort(scores, kind="stable"), _BINS)


def _count(lines: Lines, scores: Floats) -> _Tally:
    pulls, labels = split_by_pull(lines), lines.labels
    positive = [np.sort(scores[here][labels[here] == 1]) for here in pulls]
    negative = [np.sort(scores[here][labels[here] == 0]) for here in pulls]
    bins = np.zeros(len(scores), dtype=np.int64)
    for number, part in enumerate(_bins(scores)):
        bins[part] = number
    return _Tally(
        commented=_floats([len(part) for part in positive]),
        silent=_floats([len(part) for part in negative]),
        over=_floats([[_pairs(one, other) for other in negative] for one in positive]),
        picked=_floats([min(PER_PULL, len(here)) for here in pulls]),
        hits=_floats([labels[top].sum() for top in pick_top(lines, scores)]),
        promised=_floats([np.bincount(bins[here], scores[here], _BINS) for here in pulls]),
        came=_floats([np.bincount(bins[here], labels[here], _BINS) for here in pulls]),
    )


def _pairs(positive: Floats, negative: Floats) -> float:
    under, upto = np.searchsorted(negative, positive, "left"), np.searchsorted(negative, positive, "right")
    return float((under + upto).sum()) / 2


def _values(tally: _Tally, weights: Floats) -> Floats:
    """Resamples by measure (AUC, precision, recall, calibration); `weights` is resamples by pull request."""
    commented, silent, hits = weights @ tally.commented, weights @ tally.silent, weights @ tally.hits
    return np.column_stack(
        [
            ((weights @ tally.over) * weights).sum(axis=1) / (commented * silent),
            hits / (weights @ tally.picked),
            hits / commented,
            np.abs(weights @ (tally.promised - tally.came)).sum(axis=1) / (commented + silent),
        ]
    )


def _measure(tally: _Tally, values: Callable[[Floats], Floats]) -> Ranking:
    """A resample without a commented line, or with nothing else, says nothing and is left out."""
    count = len(tally.commented)
    if not tally.commented.any() or not tally.silent.any():
        return Ranking(None, None, None, None)
    draw = np.random.default_rng(_SEED)
    weights = draw.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES).astype(np.float64)
    telling = weights[(weights @ tally.commented > 0) & (weights @ tally.silent > 0)]
    low, high = np.percentile(values(telling), [2.5, 97.5], axis=0)
    whole = values(np.ones((1, count)))[0]
    figures = zip(whole, low, high, strict=True)
    return Ranking(*(Figure(value=float(a), low=float(b), high=float(c), n=count) for a, b, c in figures))


def _floats(values: object) -> Floats:
    return np.asarray(values, dtype=np.float64)
