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


def read_line(row: CommentRow) -> str:
    """The marked line as the prompt shows it; empty where none is marked."""
    return next((line for line in row.prompt[-1].content.splitlines() if line.startswith(">")), "")


def find_nearest(train: Sequence[CommentRow], asked: Sequence[CommentRow], count: int) -> list[list[CommentRow]]:
    """For each asked row at most `count` training rows with the most similar prompts (the marked hunk), best first."""
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True, lowercase=False)
    past = vectoriser.fit_transform([_question(row) for row in train])
    alike = (vectoriser.transform([_question(row) for row in asked]) @ past.T).toarray()
    order = np.argsort(-alike, axis=1, kind="stable")[:, :count]
    return [[train[int(index)] for index in best] for best in order]


def pick_nearest(train: Sequence[CommentRow], heldout: Sequence[CommentRow]) -> list[str]:
    """For each held-out row the comment of the training row with the most similar prompt."""
    return [read_comment(best[0]) for best in find_nearest(train, heldout, 1)]


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
    marked = read_line(row)
    return "\n".join([marked, marked, marked, row.prompt[-1].content])
