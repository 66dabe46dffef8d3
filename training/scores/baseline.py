"""The line to beat: TF-IDF of characters 2 to 5 of a line and the line above, and logistic regression.

No arm of the Locator's: it is fitted to be measured beside it, on the same lines.
"""

from collections.abc import Sequence

from sklearn.model_selection import GroupKFold

from app.domain.lines import LineSite
from training.scores.lines import Lines
from training.scores.text_scores import (
    Block,
    Floats,
    TextScores,
    extract_features,
    fit_blocks,
    fit_probability,
    unseen_decisions,
)

_BLOCK = Block("line", "char", 2, 5)
#: Both classes weighing the same is how the published figures (cactoos: AUC .81) were made; here it ranks a little
#: worse there than without, so the stronger one is kept.
_STRENGTH = 1.0
_FOLDS = 3


def fit_tfidf(lines: Lines) -> TextScores:
    """Fit on all lines; probabilities by what the fits of three folds of pull requests say of the fold left out.

    Raises:
        ValueError: when the lines are of one kind only, or of one pull request.
    """
    features = extract_features((_BLOCK,), read_pairs(lines.sites))
    folds = list(GroupKFold(min(_FOLDS, len(set(lines.pulls)))).split(lines.labels, groups=lines.pulls))
    unseen = unseen_decisions(features, lines.labels, folds, strength=_STRENGTH, balanced=False)
    slope, offset = fit_probability(unseen, lines.labels)
    fitted, intercept = fit_blocks(features, lines.labels, strength=_STRENGTH, balanced=False)
    return TextScores("locator", fitted, intercept, slope, offset, 0.5, abstains=False, about={"sentence": "tfidf"})


def score_tfidf(train: Lines, asked: Lines) -> Floats:
    """Probabilities in 0..1 for the asked lines, by the baseline fitted on the train lines."""
    scores = fit_tfidf(train)
    return scores.score(read_pairs(asked.sites), len(asked.sites))


def read_pairs(sites: Sequence[LineSite]) -> dict[str, list[str]]:
    return {"line": [f"{site.previous}\n{site.text}" for site in sites]}
