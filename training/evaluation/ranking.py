"""How a score orders the lines of pull requests, whatever its threshold.

Protocol of the public baseline: all lines in one ranking for the AUC; for precision and recall the five likeliest lines
of each pull request. Intervals resample pull requests, for lines of one are no independent witnesses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.domain.evals import Figure
from training.scores.lines import Lines
from training.scores.text_scores import Floats

#: Comments in one review.
PER_PULL = 5
_BINS = 10
_RESAMPLES = 1000
_SEED = 20260101
_Picks = list[NDArray[np.int64]]
_Measure = Callable[[_Picks], float]


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


def measure_ranking(lines: Lines, scores: Floats) -> Ranking:
    """`scores`: a probability in 0..1 for each of the lines, in order."""
    return Ranking(*(_figure(lines, measure) for measure in _measures(lines, scores)))


def compare_rankings(lines: Lines, ours: Floats, theirs: Floats) -> Ranking:
    """Ours minus theirs on the same pull requests: an interval above 0 says ours is better, for calibration worse."""
    pairs = zip(_measures(lines, ours), _measures(lines, theirs), strict=True)
    return Ranking(*(_figure(lines, partial(_difference, one, other)) for one, other in pairs))


def pick_top(lines: Lines, scores: Floats) -> _Picks:
    """The PER_PULL likeliest lines of each pull request, likeliest first; ties keep reading order."""
    return [here[np.argsort(-scores[here], kind="stable")[:PER_PULL]] for here in _by_pull(lines)]


def _by_pull(lines: Lines) -> _Picks:
    return [np.flatnonzero(lines.pulls == pull) for pull in np.unique(lines.pulls)]


def _measures(lines: Lines, scores: Floats) -> tuple[_Measure, ...]:
    """Each measure as a function of the pull requests' lines it is to be taken over."""
    top = np.zeros(len(scores), dtype=bool)
    for picked in pick_top(lines, scores):
        top[picked] = True
    labels = lines.labels

    def precision(picks: _Picks) -> float:
        at = np.concatenate(picks)
        return float(labels[at][top[at]].mean())

    def recall(picks: _Picks) -> float:
        at = np.concatenate(picks)
        return float(labels[at][top[at]].sum() / labels[at].sum())

    def auc(picks: _Picks) -> float:
        at = np.concatenate(picks)
        return float(roc_auc_score(labels[at], scores[at]))

    def calibration(picks: _Picks) -> float:
        at = np.concatenate(picks)
        return calibration_error(scores[at], labels[at])

    return auc, precision, recall, calibration


def calibration_error(scores: Floats, labels: NDArray[np.int64]) -> float:
    """Mean distance of what was promised from what came, over bins of equally many lines by score (0..1)."""
    order = np.argsort(scores, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    gaps = [abs(scores[part].mean() - labels[part].mean()) * len(part) for part in bins]
    return float(sum(gaps) / len(order))


def _difference(one: _Measure, other: _Measure, picks: _Picks) -> float:
    return one(picks) - other(picks)


def _figure(lines: Lines, measure: _Measure) -> Figure | None:
    """A resample without a commented line, or with nothing else, says nothing and is drawn again."""
    pulls = _by_pull(lines)
    if not _tells(lines, pulls):
        return None
    draw = np.random.default_rng(_SEED)
    values: list[float] = []
    while len(values) < _RESAMPLES:
        picks = [pulls[number] for number in draw.integers(0, len(pulls), len(pulls))]
        if _tells(lines, picks):
            values.append(measure(picks))
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(value=measure(pulls), low=float(low), high=float(high), n=len(pulls))


def _tells(lines: Lines, picks: Sequence[NDArray[np.int64]]) -> bool:
    labels = [lines.labels[pick] for pick in picks]
    return any(part.any() for part in labels) and not all(part.all() for part in labels)
