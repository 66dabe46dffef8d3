"""The approved past reviews that are nearest to a comment: where it may have been learned from. Pure."""

from collections.abc import Sequence

from app.domain.base import Record
from app.domain.examples import Example
from app.domain.references import REVIEWED_LINES, render_past_review
from app.review.retrieval import Asked, Index, Piece, Vectors

#: Links shown.
MOST_NEAR = 3
#: Mean cosine in 0..1 of the hunk's names, the words' names and the words' vectors, from which two reviews are told to
#: be near. A guess: nobody has measured yet from where on people agree that they are.
NEAR = 0.3


class NearReview(Record):
    """`similarity`: in 0..1, as app/review/retrieval.py has it."""

    pull_request: int
    path: str
    comment_id: int
    similarity: float


def select_told(past: Sequence[Example]) -> list[Example]:
    """Those that are comments on a line and can be linked to."""
    return [example for example in past if example.comment_id is not None and example.body]


def render_pieces(told: Sequence[Example]) -> list[Piece]:
    reviews = [render_past_review(example) for example in told]
    return [Piece(code=review.code, words=review.text) for review in reviews]


def render_asked(diff_hunk: str, words: str) -> Asked:
    """`diff_hunk` as GitHub gives it for a comment: the commented line is its last."""
    lines = [line[1:] for line in diff_hunk.split("\n") if line and not line.startswith("@@")]
    return Asked(code="\n".join(lines[-REVIEWED_LINES:]), words=words)


def select_nearest(
    asked: Asked, told: Sequence[Example], vectors: Vectors | None = None, vector: Vectors | None = None
) -> tuple[NearReview, ...]:
    """At most MOST_NEAR of the past reviews, the nearest first; none when none is near.

    `told`: of `select_told`; `vectors`: of the words of each, `vector` of the asked words, None for lexical only.
    """
    ranked = Index(render_pieces(told), vectors).rank(asked, vector)
    near = [(told[one.at], one.similarity) for one in ranked if one.similarity >= NEAR][:MOST_NEAR]
    return tuple(
        NearReview(
            pull_request=example.pull_request,
            path=example.path,
            comment_id=example.comment_id or 0,
            similarity=round(similarity, 2),
        )
        for example, similarity in near
    )
