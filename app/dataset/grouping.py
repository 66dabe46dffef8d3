"""Comments that say alike, and rows that are least alike: TF-IDF over their words. Pure and repeatable."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

Floats = np.ndarray[Any, np.dtype[np.float64]]
#: Rows that the groups and the picks are made of; more are thinned evenly, and then put to the nearest group.
MOST_FITTED = 5000
MOST_GROUPS = 12
_MOST_WORDS = 20_000
_DIRECTIONS = 50
_NAME_WORDS = 3
_WORD = r"(?u)[^\W\d]\w+"


@dataclass(frozen=True)
class Grouping:
    """The group of each text, and each group's name: the words that tell it from the others."""

    groups: list[int]
    names: list[str]


def group_by_words(texts: Sequence[str]) -> Grouping:
    """About the square root of the distinct texts, twelve groups at most; one where there is nothing to tell apart."""
    vectors, words, distinct = _vectors(texts, shared=True)
    if vectors is None or distinct < 2:
        return Grouping([0] * len(texts), [_frequent(texts)] if texts else [])
    from sklearn.cluster import KMeans

    wanted = min(distinct, MOST_GROUPS, max(3, round(distinct**0.5)))
    points = _fold(vectors)
    fitted = KMeans(wanted, n_init=3, random_state=0).fit(points[_thin(len(texts))])
    groups = [int(group) for group in fitted.predict(points)]
    names = [_name_group(vectors, np.array(groups) == group, words) for group in range(wanted)]
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        names[index] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return Grouping(groups, names)


def pick_diverse(texts: Sequence[str], count: int) -> list[int]:
    """Positions of the texts to read: first the most typical, then whatever is least like all that was picked."""
    first_of = {normalise(text): index for index, text in reversed(list(enumerate(texts)))}
    positions = sorted(first_of.values())
    positions = [positions[index] for index in _thin(len(positions))]
    vectors, _, _ = _vectors([texts[position] for position in positions], shared=False)
    if vectors is None:
        return positions[:count]
    closeness = np.asarray(vectors @ np.asarray(vectors.mean(axis=0)).ravel()).ravel()
    picked = [int(closeness.argmax())]
    nearest = _alike(vectors, picked[0])
    while len(picked) < min(count, len(positions)):
        nearest[picked] = np.inf
        picked.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, _alike(vectors, picked[-1]))
    return [positions[index] for index in picked]


def normalise(text: str) -> str:
    """The same for texts that differ in case and spaces only."""
    return " ".join(text.casefold().split())


def _vectors(texts: Sequence[str], *, shared: bool) -> tuple[csr_matrix | None, list[str], int]:
    """Rows of unit length, their words, and how many differ in their set of words. None where no text has a word.

    With `shared` only words that two texts have: what one text alone says tells no group.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    tell = TfidfVectorizer(token_pattern=_WORD, stop_words="english").build_analyzer()
    told = [tell(text) for text in texts]
    spread = Counter(word for words in told for word in set(words))
    common = {word: count for word, count in spread.items() if count > 1} if shared else {}
    words = sorted(word for word, _ in Counter(common or spread).most_common(_MOST_WORDS))
    if not words:
        return None, [], 0
    vectoriser = TfidfVectorizer(analyzer=lambda row: row, vocabulary=words, sublinear_tf=True)
    known = set(words)
    distinct = {frozenset(known.intersection(row)) for row in told}
    return vectoriser.fit_transform(told), words, len(distinct)


def _fold(vectors: csr_matrix) -> csr_matrix | Floats:
    """Many words folded to the directions that texts share most (latent semantic analysis), again of unit length:

    short texts have few words in common, and without it nearly all of them end in one group.
    """
    if min(vectors.shape) <= 2 * _DIRECTIONS:
        return vectors
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    folded: Floats = normalize(TruncatedSVD(_DIRECTIONS, random_state=0).fit_transform(vectors))
    return folded


def _thin(count: int) -> list[int]:
    return [int(index) for index in np.linspace(0, count - 1, min(count, MOST_FITTED))]


def _alike(vectors: csr_matrix, index: int) -> Floats:
    return np.asarray((vectors @ vectors[index].T).todense()).ravel()


def _name_group(vectors: csr_matrix, inside: np.ndarray[Any, np.dtype[np.bool_]], words: Sequence[str]) -> str:
    """The words that weigh more inside than over all."""
    if not inside.any():
        return "other words"
    mean = np.asarray(vectors[inside].mean(axis=0)).ravel() - np.asarray(vectors.mean(axis=0)).ravel()
    return _name(mean, words)


def _name(center: Floats, words: Sequence[str]) -> str:
    best = [int(index) for index in np.argsort(-center, kind="stable")[:_NAME_WORDS] if center[index] > 0]
    return ", ".join(words[index] for index in best) or "other words"


def _frequent(texts: Sequence[str]) -> str:
    vectors, words, _ = _vectors(texts, shared=False)
    return "no words" if vectors is None else _name(np.asarray(vectors.mean(axis=0)).ravel(), words)
