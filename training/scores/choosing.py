"""Which arm, and from which score on it speaks: decided on lines of pull requests that the fits did not see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from training.scores.lines import Lines
from training.scores.text_scores import Floats

#: A heavier arm must find this share of commented lines more than a lighter one, or rank them this much better.
_WORTH_MORE = 0.01
#: Where no arm finds this share, what is found hangs on a handful of lines, and the arms are compared by ranking.
_CRISP = 0.5
#: arm, strength
Choice = tuple[str, float]


@dataclass(frozen=True)
class Operating:
    """A threshold and what it does on unseen lines; shares in 0..1.

    `ranking`: the chance that a commented line stands over one left alone (AUC); it asks for no threshold.
    """

    threshold: float
    found: float
    alarms: float
    ranking: float = 0.5


def choose_threshold(scores: Floats, lines: Lines, alarms: float) -> Operating:
    """Most commented lines at or over it, with at most `alarms` of the clean hunks having such a line.

    Among thresholds that find the same lines it stands midway (in log-odds) between the weakest found line and the next
    clean hunk's best line, or the next weaker commented line: the widest margin either way.
    """
    commented = np.sort(scores[lines.labels == 1])
    peaks = np.array([scores[lines.hunks == hunk].max() for hunk in lines.clean_hunks])
    quiet = scores[lines.labels == 0] if not len(peaks) else peaks
    allowed = int(np.floor(alarms * len(quiet)))
    limit = np.sort(quiet)[::-1][allowed] if allowed < len(quiet) else 0.0
    found = commented[commented > limit]
    ranking = float(roc_auc_score(lines.labels, scores))
    if not len(found):
        return Operating(min(0.999, float(limit) + 1e-6), 0.0, float(np.mean(quiet > limit)), ranking)
    below = max([limit, *commented[commented <= limit][-1:]])
    threshold = _midway(float(below), float(found[0]))
    return Operating(threshold, len(found) / len(commented), float(np.mean(quiet >= threshold)), ranking)


def is_crisp(tried: Sequence[Operating]) -> bool:
    """Whether an arm finds so much that what it finds can be relied on."""
    return any(operating.found >= _CRISP for operating in tried)


def choose_arm(tried: dict[Choice, Operating]) -> Choice:
    """The arm and strength that find most; a heavier one must be worth it. They come lightest first.

    House rules that code can be held against are found or missed. On real history hardly anything stands over the
    alarms allowed: there the order of the lines decides, which is what picks the best five of a pull request.
    """
    crisp = is_crisp(list(tried.values()))
    worth = {name: operating.found if crisp else operating.ranking for name, operating in tried.items()}
    best = next(iter(tried))
    for name in tried:
        if worth[name] > worth[best] + _WORTH_MORE:
            best = name
    return best


def _midway(low: float, high: float) -> float:
    odds = [np.log(p / (1 - p)) for p in np.clip([low, high], 1e-6, 1 - 1e-6)]
    return float(1 / (1 + np.exp(-np.mean(odds))))
