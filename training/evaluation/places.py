"""How well a Locator finds commented lines at its threshold; `ranking` tells how well it orders them."""

from dataclasses import dataclass

import numpy as np

from app.domain.evals import Figure
from training.evaluation.measures import ratio_figure, share_figure
from training.evaluation.ranking import pick_top, split_by_pull
from training.scores.lines import Lines
from training.scores.text_scores import Floats


@dataclass(frozen=True)
class Places:
    """`hit`: commented lines pointed at. `alarm`: clean hunks pointed into.

    `chance`: commented lines that as many random lines of each pull request would hit, as an expectation. Hit and
    chance are over the pull requests with a commented line, which are their `n` and what their intervals resample.
    """

    hit: Figure | None
    alarm: Figure | None
    chance: Figure | None


def measure_places(lines: Lines, scores: Floats, threshold: float) -> Places:
    """Lines at or over the threshold, the best five per pull request, against what reviewers did."""
    pointed = _pointed(lines, scores, threshold)
    clean = [bool(pointed[lines.hunks == hunk].any()) for hunk in lines.clean_hunks]
    pulls = split_by_pull(lines)
    commented = [float(lines.labels[here].sum()) for here in pulls]
    return Places(
        hit=ratio_figure([float(pointed[here] @ lines.labels[here]) for here in pulls], commented),
        alarm=share_figure(clean),
        chance=ratio_figure(
            [said * float(pointed[here].mean()) for said, here in zip(commented, pulls, strict=True)], commented
        ),
    )


def _pointed(lines: Lines, scores: Floats, threshold: float) -> np.ndarray:
    pointed = np.zeros(len(scores), dtype=bool)
    for top in pick_top(lines, scores):
        pointed[top[scores[top] >= threshold]] = True
    return pointed
