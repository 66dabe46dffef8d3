"""Where: which added lines this team's reviewers would comment on. Fitted on lines.train.jsonl in seconds.

Three arms, from the honest baseline up; the arm is chosen by what it finds in pull requests that its fit did not see:

    line           the line and the line before, by characters
    surroundings   and the lines above and below, the blocks around and the path
    pairs          and every pair of a name in the line with a name near it ("charge" with no "audit" before)

The threshold is chosen on the same unseen scores: the most commented lines found with at most `alarms` of the clean
hunks disturbed. Stored as `training/scores/text_scores.py` describes, kind "locator".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.model_selection import GroupKFold

from app.domain.lines import LineSite, render_pairs, render_sites
from app.domain.snapshots import HunkRow
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
#: A heavier arm must find this share of commented lines more than a lighter one.
_WORTH_MORE = 0.01
_ABSTAIN_THRESHOLD = 1.0
#: arm, strength
Choice = tuple[str, float]

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
ARMS: dict[str, tuple[Block, ...]] = {
    "line": _LINE,
    "surroundings": _SURROUNDINGS,
    "pairs": (*_SURROUNDINGS, Block("pairs", "words", 1, 1, rarest=3)),
}


@dataclass(frozen=True)
class Lines:
    """Every judged line of a snapshot part: its site, its label, its pull request and its hunk (index)."""

    sites: tuple[LineSite, ...]
    labels: NDArray[np.int64]
    pulls: NDArray[np.int64]
    hunks: NDArray[np.int64]
    #: hunks with a comment that is neither a yes nor a no: nobody acted on it, or it was no lesson
    doubtful: frozenset[int] = frozenset()

    @property
    def clean_hunks(self) -> NDArray[np.int64]:
        """Hunks in which no line was commented on by anyone, of whatever worth."""
        spoken = set(self.hunks[self.labels == 1])
        return np.array(sorted(set(self.hunks) - spoken - self.doubtful), dtype=np.int64)


@dataclass(frozen=True)
class Operating:
    """A threshold and what it does on unseen lines; shares in 0..1."""

    threshold: float
    found: float
    alarms: float


@dataclass(frozen=True)
class Trial:
    """An arm at one strength on unseen pull requests, and how its decisions become probabilities."""

    operating: Operating
    slope: float
    offset: float


def judge_lines(rows: Sequence[HunkRow]) -> Lines:
    """The labelled lines of the rows; a line that is neither a yes nor a no is left out."""
    sites: list[LineSite] = []
    labels, pulls, hunks = [], [], []
    doubtful: set[int] = set()
    numbers: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        pull = numbers.setdefault((row.repository, row.pull_request), len(numbers))
        said = {line.new: label for line, label in zip(row.hunk.lines, row.labels, strict=True) if line.kind == "added"}
        for site in render_sites(row.path, row.hunk):
            label = said[site.line]
            if label is None:
                doubtful.add(index)
            else:
                sites.append(site)
                labels.append(label)
                pulls.append(pull)
                hunks.append(index)
    return Lines(tuple(sites), _integers(labels), _integers(pulls), _integers(hunks), frozenset(doubtful))


def read_texts(sites: Sequence[LineSite]) -> dict[str, list[str]]:
    """The blocks' texts by field, as `app/inference/locator.py` reads them too."""
    fields = ("text", "previous", "above", "below", "enclosing", "path")
    texts = {name: [getattr(site, name) for site in sites] for name in fields}
    return texts | {"pairs": [render_pairs(site) for site in sites]}


def fit_locator(
    rows: Sequence[HunkRow], *, alarms: float, on_trial: Callable[[int, int], None] = lambda done, total: None
) -> TextScores:
    """Choose an arm and a threshold on unseen pull requests, then fit the arm on all. Abstains when it cannot know.

    `on_trial` hears how many trials are done, and of how many.
    """
    lines = judge_lines(rows)
    reason = decide_abstention(lines)
    if reason is not None:
        return constant_scores(KIND, probability=0.01, threshold=_ABSTAIN_THRESHOLD, reason=reason)
    texts = read_texts(lines.sites)
    many = len(lines.sites) > MANY_LINES
    splits = min(_FOLDS_OF_MANY if many else FOLDS, len(set(lines.pulls)))
    folds = list(GroupKFold(n_splits=splits).split(lines.labels, groups=lines.pulls))
    strengths = STRENGTHS[:1] if many else STRENGTHS
    features: dict[str, Features] = {}
    tried: dict[Choice, Trial] = {}
    for arm, blocks in ARMS.items():
        features[arm] = extract_features(blocks, texts)
        for strength in strengths:
            on_trial(len(tried), len(ARMS) * len(strengths))
            tried[arm, strength] = _try(features[arm], strength, lines, folds, alarms)
    arm, strength = choose_arm({choice: trial.operating for choice, trial in tried.items()})
    chosen = tried[arm, strength]
    fitted, intercept = fit_blocks(features[arm], lines.labels, strength=strength)
    return TextScores(
        KIND,
        fitted,
        intercept,
        chosen.slope,
        chosen.offset,
        chosen.operating.threshold,
        abstains=False,
        about=_about(arm, strength, lines, tried),
    )


def _try(features: Features, strength: float, lines: Lines, folds: Folds, alarms: float) -> Trial:
    decisions = unseen_decisions(features, lines.labels, folds, strength=strength)
    slope, offset = fit_probability(decisions, lines.labels)
    return Trial(choose_threshold(expit(slope * decisions + offset), lines, alarms), slope, offset)


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
    if not len(found):
        return Operating(min(0.999, float(limit) + 1e-6), 0.0, float(np.mean(quiet > limit)))
    below = max([limit, *commented[commented <= limit][-1:]])
    threshold = _midway(float(below), float(found[0]))
    return Operating(threshold, len(found) / len(commented), float(np.mean(quiet >= threshold)))


def choose_arm(tried: dict[Choice, Operating]) -> Choice:
    """The arm and strength that find most; a heavier one must be worth it. They come lightest first."""
    names = list(tried)
    best = names[0]
    for _, name in pairwise(names):
        if tried[name].found > tried[best].found + _WORTH_MORE:
            best = name
    return best


def _midway(low: float, high: float) -> float:
    odds = [np.log(p / (1 - p)) for p in np.clip([low, high], 1e-6, 1 - 1e-6)]
    return float(1 / (1 + np.exp(-np.mean(odds))))


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


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
            }
            for (name, power), trial in tried.items()
        },
    }
