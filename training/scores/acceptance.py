"""Whether: will this team act on this comment? Fitted on the outcomes of past ones, held at a target precision.

TF-IDF of the comment and of the line it stands on, logistic regression. With fewer than eight comments that were left
without effect (or fewer than eight with one) nothing can be learned: then every comment passes, and the file says so.
Stored as `training/scores/text_scores.py` describes, kind "filter".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold

from app.domain.prompt import LINE_WIDTH
from app.domain.snapshots import OutcomeRow
from training.scores.text_scores import (
    Block,
    Floats,
    Folds,
    TextScores,
    constant_scores,
    extract_features,
    fit_blocks,
    fit_probability,
    unseen_decisions,
)

KIND = "filter"
LEAST_OF_EACH = 8
FOLDS = 4
STRENGTH = 3.0
#: A filter that would hold back more than this share of the comments that were acted on is not worth its precision.
_LEAST_KEPT = 0.5

BLOCKS = (Block("body", "char", 2, 5), Block("body", "names", 1, 2), Block("line_text", "char", 2, 4))


def read_texts(line_texts: Sequence[str], bodies: Sequence[str]) -> dict[str, list[str]]:
    return {"line_text": [text.strip()[:LINE_WIDTH] for text in line_texts], "body": list(bodies)}


def fit_acceptance(rows: Sequence[OutcomeRow], *, precision: float) -> TextScores:
    """Fit on all rows; the threshold comes from scores of rows whose pull requests the fit did not see."""
    labels = np.array([int(row.accepted) for row in rows], dtype=np.int64)
    accepted, rejected = int(labels.sum()), int(len(labels) - labels.sum())
    if min(accepted, rejected) < LEAST_OF_EACH:
        reason = f"{accepted} comments acted on, {rejected} not; at least {LEAST_OF_EACH} of each are needed"
        return constant_scores(
            KIND, probability=max(0.5, (accepted + 1) / (len(labels) + 2)), threshold=0.0, reason=reason
        )
    texts = read_texts([row.line_text for row in rows], [row.body for row in rows])
    features = extract_features(BLOCKS, texts)
    decisions = unseen_decisions(features, labels, _fold(rows, labels), strength=STRENGTH)
    slope, offset = fit_probability(decisions, labels)
    threshold, reached = choose_threshold(expit(slope * decisions + offset), labels, precision)
    fitted, intercept = fit_blocks(features, labels, strength=STRENGTH)
    sentence = f"{accepted} comments acted on, {rejected} not; of those it lets pass {reached:.0%} were acted on"
    about = {
        "sentence": sentence,
        "accepted": accepted,
        "rejected": rejected,
        "precision": round(reached, 4),
        "wanted": precision,
    }
    return TextScores(KIND, fitted, intercept, slope, offset, threshold, abstains=False, about=about)


def choose_threshold(scores: Floats, labels: NDArray[np.int64], precision: float) -> tuple[float, float]:
    """The lowest threshold that reaches the precision, and the precision it has.

    It is then raised as far as no further comment that was acted on is lost: that precision is free. Where the target
    is out of reach without holding back half of the good comments, the most precise threshold that keeps that half is
    taken.
    """
    best = (0.0, float(labels.mean()))
    for threshold in (0.0, *np.unique(scores)):
        kept = scores >= threshold
        if labels[kept].sum() < _LEAST_KEPT * labels.sum():
            break
        reached = float(labels[kept].mean())
        if reached > best[1]:
            best = (float(threshold), reached)
        if reached >= precision:
            best = (float(threshold), reached)
            break
    return _raise_for_free(best[0], scores, labels)


def _raise_for_free(threshold: float, scores: Floats, labels: NDArray[np.int64]) -> tuple[float, float]:
    weakest = scores[(labels == 1) & (scores >= threshold)].min()
    useless = scores[(labels == 0) & (scores < weakest)]
    raised = float((useless.max() + weakest) / 2) if len(useless) else threshold
    raised = max(threshold, raised)
    return raised, float(labels[scores >= raised].mean())


def _fold(rows: Sequence[OutcomeRow], labels: NDArray[np.int64]) -> Folds:
    """Both outcomes in each fold, no pull request in two; with one pull request there is nothing unseen to fold."""
    groups = [f"{row.repository}#{row.pull_request}" for row in rows]
    count = min(FOLDS, len(set(groups)))
    if count < 2:
        return []
    return list(StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0).split(labels, labels, groups))
