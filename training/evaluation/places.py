"""How well a Locator finds commented lines at its threshold; `ranking` tells how well it orders them."""

from dataclasses import dataclass

import numpy as np

from app.domain.evals import Figure
from training.evaluation.measures import share_figure
from training.evaluation.ranking import pick_top
from training.scores.lines import Lines
from training.scores.text_scores import Floats


@dataclass(frozen=True)
class Places:
    """`hit`: commented lines pointed at. `alarm`: clean hunks pointed into. `chance`: hits of as many random lines."""

    hit: Figure | None
    alarm: Figure | None
    chance: Figure | None


def measure_places(lines: Lines, scores: Floats, threshold: float) -> Places:
    """Lines at or over the threshold, the best five per pull request, against what reviewers did."""
    pointed = _pointed(lines, scores, threshold)
    clean = [bool(pointed[lines.hunks == hunk].any()) for hunk in lines.clean_hunks]
    return Places(
        hit=share_figure([bool(item) for item in pointed[lines.labels == 1]]),
        alarm=share_figure(clean),
        chance=share_figure([bool(item) for item in pointed]) if lines.labels.any() else None,
    )


def _pointed(lines: Lines, scores: Floats, threshold: float) -> np.ndarray:
    pointed = np.zeros(len(scores), dtype=bool)
    for top in pick_top(lines, scores):
        pointed[top[scores[top] >= threshold]] = True
    return pointed
