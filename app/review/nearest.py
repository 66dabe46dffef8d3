"""The approved past reviews that are nearest to a comment: where it may have been learned from. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from app.domain.base import Record
from app.domain.examples import Example

#: Links shown.
MOST_NEAR = 3
#: Cosine in 0..1, mean of the hunk's and the words', from which two reviews are told to be near. A guess: nobody has
#: measured yet from where on people agree that they are.
NEAR = 0.3
_NAMES = r"[A-Za-z_]\w+"


class NearReview(Record):
    """`similarity`: cosine in 0..1 of TF-IDF vectors over names, the mean of the hunk's and the words'."""

    pull_request: int
    path: str
    comment_id: int
    similarity: float


def select_nearest(hunk: str, words: str, past: Sequence[Example]) -> tuple[NearReview, ...]:
    """At most MOST_NEAR of the past reviews, the nearest first; none when none is near."""
    known = [example for example in past if example.comment_id is not None and example.body]
    if not known:
        return ()
    hunks = _cosines(hunk, ["\n".join(line.text for line in example.hunk.lines) for example in known])
    bodies = _cosines(words, [example.body or "" for example in known])
    scores = (hunks + bodies) / 2
    best = sorted(range(len(known)), key=lambda index: (-scores[index], index))[:MOST_NEAR]
    return tuple(
        NearReview(
            pull_request=known[index].pull_request,
            path=known[index].path,
            comment_id=known[index].comment_id or 0,
            similarity=round(float(scores[index]), 2),
        )
        for index in best
        if scores[index] >= NEAR
    )


def _cosines(asked: str, texts: list[str]) -> NDArray[np.float64]:
    """Of the asked text with each of the others, in their order; 0 where a text has no names."""
    vectoriser = TfidfVectorizer(token_pattern=_NAMES, sublinear_tf=True)
    try:
        vectors = vectoriser.fit_transform([asked, *texts])
    except ValueError:  # not one name in all of them
        return np.zeros(len(texts))
    found: NDArray[np.float64] = (vectors[1:] @ vectors[0].T).toarray().ravel()
    return found
