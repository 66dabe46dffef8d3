"""Where: which added lines this team's reviewers would comment on. Fitted on lines.train.jsonl in seconds.

Four arms, from the honest baseline up; chosen on pull requests that the fits did not see (`choosing.py`):

    line           the line and the line before, by characters
    surroundings   and the lines above and below, the blocks around and the path
    pairs          and every pair of a name in the line with a name near it ("charge" with no "audit" before)
    shape          the names of the line and the line before, and trees over the line's shape (`app/domain/shapes.py`);
                   not tried where another arm already finds the rules, for it would learn the look of their hunks

The threshold is chosen on the same unseen scores: the most commented lines found with at most `alarms` of the clean
hunks disturbed. Stored as `training/scores/text_scores.py` describes, kind "locator".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from app.domain.snapshots import HunkRow
from training.scores.choosing import Choice, Operating, choose_arm, choose_threshold, is_crisp
from training.scores.lines import Lines, judge_lines, read_texts
from training.scores.text_scores import (
    Block,
    Features,
    Floats,
    Folds,
    TextScores,
    constant_scores,
    extract_features,
    fit_blocks,
    fit_probability,
    unseen_decisions,
)
from training.scores.trees import fit_trees, read_numbers

__all__ = ["KIND", "Lines", "choose_threshold", "decide_abstention", "fit_locator", "judge_lines", "read_texts"]

KIND = "locator"
#: Commented lines below which nothing is learned: a threshold on fewer is a guess.
LEAST_COMMENTED = 12
LEAST_PULLS = 4
FOLDS = 5
#: scikit-learn's C, tried smoothest first: crisp house rules want the sharp one, real history the smooth one.
STRENGTHS = (10.0, 100.0)
#: Lines beyond which three folds and the smooth fit alone are tried: real history, and minutes otherwise.
MANY_LINES = 20_000
_FOLDS_OF_MANY = 3
_ABSTAIN_THRESHOLD = 1.0

_LINE = (Block("text", "char", 2, 5), Block("previous", "char", 2, 5))
_SURROUNDINGS = (
    *_LINE,
    Block("text", "names", 1, 2),
    Block("previous", "names", 1, 2),
    Block("above", "names", 1, 2, rarest=2),
    Block("below", "names", 1, 2, rarest=2),
    Block("enclosing", "names", 1, 2, rarest=2),
    Block("path", "char", 2, 5, rarest=2),
)
_NAMES = (Block("text", "names", 1, 2, rarest=2), Block("previous", "names", 1, 2, rarest=2))


@dataclass(frozen=True)
class Arm:
    """Blocks, and how their weights are fitted: scikit-learn's C to try, whether both classes weigh the same."""

    blocks: tuple[Block, ...]
    strengths: tuple[float, ...] = STRENGTHS
    balanced: bool = True
    shaped: bool = False


ARMS = {
    "line": Arm(_LINE),
    "surroundings": Arm(_SURROUNDINGS),
    "pairs": Arm((*_SURROUNDINGS, Block("pairs", "words", 1, 1, rarest=3))),
    "shape": Arm(_NAMES, strengths=(3.0,), balanced=False, shaped=True),
}


@dataclass(frozen=True)
class Trial:
    """An arm at one strength on unseen pull requests, and how its decisions become probabilities.

    `shares` is what the texts' and the shapes' decisions are multiplied with.
    """

    operating: Operating
    slope: float
    offset: float
    shares: tuple[float, float]


@dataclass(frozen=True)
class _Bench:
    """The lines, what is read of them, and the folds all arms are tried on."""

    lines: Lines
    texts: dict[str, list[str]]
    folds: Folds
    alarms: float


def fit_locator(
    rows: Sequence[HunkRow],
    *,
    alarms: float,
    arms: Sequence[str] = tuple(ARMS),
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> TextScores:
    """Choose one of the arms and a threshold on unseen pull requests, then fit it on all. Abstains when it cannot know.

    `on_trial` hears how many trials are done, and of how many.
    """
    lines = judge_lines(rows)
    reason = decide_abstention(lines)
    if reason is not None:
        return constant_scores(KIND, probability=0.01, threshold=_ABSTAIN_THRESHOLD, reason=reason)
    bench = _Bench(lines, read_texts(lines.sites), _fold(lines), alarms)
    many = len(lines.sites) > MANY_LINES
    choices = [(name, power) for name in arms for power in ARMS[name].strengths[: 1 if many else None]]
    features: dict[str, Features] = {}
    tried: dict[Choice, Trial] = {}
    for name, power in choices:
        on_trial(len(tried), len(choices))
        if ARMS[name].shaped and is_crisp([trial.operating for trial in tried.values()]):
            continue
        if name not in features:
            features[name] = extract_features(ARMS[name].blocks, bench.texts)
        tried[name, power] = _try(ARMS[name], features[name], power, bench)
    chosen = choose_arm({choice: trial.operating for choice, trial in tried.items()})
    return replace(
        _fit_whole(ARMS[chosen[0]], features[chosen[0]], chosen[1], bench, tried[chosen]),
        about=_about(*chosen, lines, tried),
    )


def _fold(lines: Lines) -> Folds:
    wanted = _FOLDS_OF_MANY if len(lines.sites) > MANY_LINES else FOLDS
    folds = GroupKFold(n_splits=min(wanted, len(set(lines.pulls))))
    return list(folds.split(lines.labels, groups=lines.pulls))


def _try(arm: Arm, features: Features, strength: float, bench: _Bench) -> Trial:
    labels = bench.lines.labels
    decisions = unseen_decisions(features, labels, bench.folds, strength=strength, balanced=arm.balanced)
    shares = (1.0, 0.0)
    if arm.shaped:
        shapes = _unseen_shapes(bench)
        shares = choose_shares(decisions, shapes, bench.lines)
        decisions = shares[0] * decisions + shares[1] * shapes
    slope, offset = fit_probability(decisions, labels)
    operating = choose_threshold(expit(slope * decisions + offset), bench.lines, bench.alarms)
    return Trial(operating, slope, offset, shares)


def _unseen_shapes(bench: _Bench) -> Floats:
    numbers = read_numbers(bench.texts["shape"])
    decisions = np.zeros(len(numbers))
    for seen, unseen in bench.folds:
        if len(set(bench.lines.labels[seen])) == 2:
            decisions[unseen] = fit_trees(numbers[seen], bench.lines.labels[seen]).decide(numbers[unseen])
    return decisions


def choose_shares(words: Floats, shapes: Floats, lines: Lines) -> tuple[float, float]:
    """What each kind of decision is worth, by a regression on lines that neither fit saw; never less than nothing."""
    spread = np.array([max(words.std(), 1e-9), max(shapes.std(), 1e-9)])
    regression = LogisticRegression(C=1.0, random_state=0)
    regression.fit(np.column_stack([words, shapes]) / spread, lines.labels)
    words_share, shapes_share = np.maximum(0.0, regression.coef_[0]) / spread
    return float(words_share), float(shapes_share)


def _fit_whole(arm: Arm, features: Features, strength: float, bench: _Bench, trial: Trial) -> TextScores:
    labels = bench.lines.labels
    fitted, intercept = fit_blocks(features, labels, strength=strength, balanced=arm.balanced)
    words, shapes = trial.shares
    trees = fit_trees(read_numbers(bench.texts["shape"]), labels).scale(shapes) if arm.shaped else None
    return TextScores(
        KIND,
        tuple(replace(block, weights=block.weights * words) for block in fitted),
        intercept * words,
        trial.slope,
        trial.offset,
        trial.operating.threshold,
        abstains=False,
        trees=trees,
    )


def decide_abstention(lines: Lines) -> str | None:
    """Why no Locator can be learned from these lines, or None."""
    commented = int(lines.labels.sum())
    pulls = len(set(lines.pulls[lines.labels == 1]))
    if commented < LEAST_COMMENTED or pulls < LEAST_PULLS:
        return (
            f"{commented} commented lines in {pulls} pull requests; at least {LEAST_COMMENTED} in {LEAST_PULLS} are "
            "needed to know where this team speaks"
        )
    if commented == len(lines.labels):
        return "no line that reviewers left alone: nothing tells speaking from silence"
    cut = sum(not site.below for site, label in zip(lines.sites, lines.labels, strict=True) if label == 1)
    if not len(lines.clean_hunks) and cut > 0.5 * commented:
        return (
            f"{cut} of {commented} commented lines are the last of their hunk and no hunk is clean: these hunks were "
            "cut at the comment, so a Locator would learn the cut and not the code"
        )
    return None


def _about(arm: str, strength: float, lines: Lines, tried: dict[Choice, Trial]) -> dict[str, Any]:
    chosen = tried[arm, strength].operating
    return {
        "sentence": (
            f"{int(lines.labels.sum())} commented lines of {len(lines.labels)}; arm {arm} finds {chosen.found:.0%} of "
            f"them in pull requests it did not see, and disturbs {chosen.alarms:.0%} of {len(lines.clean_hunks)} clean "
            "hunks"
        ),
        "arm": arm,
        "strength": strength,
        "lines": len(lines.labels),
        "commented": int(lines.labels.sum()),
        "pulls": len(set(lines.pulls)),
        "clean_hunks": len(lines.clean_hunks),
        "unseen": {
            f"{name} C={power:g}": {
                "found": round(trial.operating.found, 4),
                "alarms": round(trial.operating.alarms, 4),
                "ranking": round(trial.operating.ranking, 4),
            }
            for (name, power), trial in tried.items()
        },
    }
