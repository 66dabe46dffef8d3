"""What is found, in which order, and what a stranger's text can do to it: nothing."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.embeddings import embed_static
from app.review.retrieval import Asked, Index, Piece, split_names

PIECES = [
    Piece(code="total = total + item.amount", words="Sum money with Decimal, never with floats."),
    Piece(code="print(order)", words="Please log through the logger."),
    Piece(code="open(path).read()", words="Close the file: use a with block."),
]


def order(index: Index, asked: Asked, vector: np.ndarray | None = None) -> list[int]:
    return [one.at for one in index.rank(asked, vector)]


def test_names_are_split_into_their_parts() -> None:
    assert split_names("maxSize of HTTPServer2 in a_b") == [
        *("maxsize", "max", "size"),
        "of",
        *("httpserver2", "http", "server", "2"),
        "in",
        *("a_b", "a", "b"),
    ]


def test_the_same_code_is_found_by_the_parts_of_its_names() -> None:
    found = Index(PIECES).rank(Asked(code="printOrder(theOrder)"))
    assert found[0].at == 1
    assert found[0].similarity > 0 == found[-1].similarity
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_words_without_a_name_in_common_are_found_by_what_they_mean() -> None:
    vectors = embed_static([piece.words for piece in PIECES])
    asked = Asked(code="x", words="Floating point numbers cannot hold currency")
    (vector,) = embed_static([asked.text])
    assert order(Index(PIECES, vectors), asked, vector)[0] == 0
    assert {one.similarity for one in Index(PIECES).rank(asked)} == {0.0}


def test_without_a_vector_of_the_question_names_alone_decide() -> None:
    vectors = embed_static([piece.words for piece in PIECES])
    asked = Asked(code="open(path)")
    assert Index(PIECES, vectors).rank(asked) == Index(PIECES).rank(asked)


@pytest.mark.parametrize("asked", [Asked(""), Asked("+++"), Asked("", "???"), Asked("🙂", "\u202e\u200b\x00")])
def test_a_question_without_a_name_is_like_nothing(asked: Asked) -> None:
    assert {one.similarity for one in Index(PIECES).rank(asked)} == {0.0}


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert Index([]).rank(Asked("a")) == []
    assert [one.similarity for one in Index([Piece("", ""), Piece("!", "?")]).rank(Asked("name"))] == [0.0, 0.0]


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=6), st.text(max_size=60), st.text())
def test_every_piece_is_ranked_once_and_within_bounds(pieces: list[tuple[str, str]], code: str, words: str) -> None:
    made = [Piece(*piece) for piece in pieces]
    found = Index(made).rank(Asked(code, words))
    assert sorted(one.at for one in found) == list(range(len(made)))
    assert all(0 <= one.similarity <= 1 and np.isfinite(one.score) for one in found)


@pytest.mark.parametrize("text", ["a" * 2_000_000, "aB" * 1_000_000, "_" * 2_000_000, "A" * 60 + " " * 1_000_000])
def test_a_huge_line_costs_no_more_than_a_long_one(text: str) -> None:
    began = time.process_time()
    assert len(split_names(text)) <= 10_000
    Index([Piece(text, text)]).rank(Asked(text, text))
    assert time.process_time() - began < 1
