"""The arm without a model: the comment that the most similar past line got. And how alike two comments are."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from app.domain.prompt import parse_completion
from app.domain.snapshots import CommentRow

#: Cosine of two comments' words from which they are taken to name the same issue.
SAME_ISSUE = 0.5
_NAME = r"[A-Za-z_]\w+"


def read_comment(row: CommentRow) -> str:
    """The team's own words of a row."""
    content = row.completion[-1].content
    return parse_completion(content) or content


def pick_nearest(train: Sequence[CommentRow], heldout: Sequence[CommentRow]) -> list[str]:
    """For each held-out row the comment of the training row with the most similar prompt (the marked hunk)."""
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True, lowercase=False)
    past = vectoriser.fit_transform([_question(row) for row in train])
    alike = (vectoriser.transform([_question(row) for row in heldout]) @ past.T).toarray()
    return [read_comment(train[int(index)]) for index in alike.argmax(axis=1)]


def judge_same_issue(train: Sequence[CommentRow], written: Sequence[str], wanted: Sequence[str]) -> list[bool]:
    """Whether each written comment shares its telling words with the wanted one: cosine of TF-IDF at least 0.5.

    Words that every comment of this team has weigh little. A paraphrase in other words counts as a miss, so the share
    is a lower bound.
    """
    if not written:
        return []
    vectoriser = TfidfVectorizer(token_pattern=_NAME, sublinear_tf=True)
    vectoriser.fit([*(read_comment(row) for row in train), *wanted])
    ours, theirs = vectoriser.transform(written), vectoriser.transform(wanted)
    return [bool(value >= SAME_ISSUE) for value in np.asarray(ours.multiply(theirs).sum(axis=1)).ravel()]


def _question(row: CommentRow) -> str:
    """The marked line three times, then its surroundings: the line decides, the rest breaks ties."""
    text = row.prompt[-1].content
    marked = next((line for line in text.splitlines() if line.startswith(">")), "")
    return "\n".join([marked, marked, marked, text])
