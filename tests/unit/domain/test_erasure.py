"""Who is meant, and which texts name them."""

import time

import pytest

from app.domain.erasure import ErasureKind, Forgotten, Subject, parse_subject, subject_key
from app.domain.errors import UserError
from app.domain.written import author_key

ANN = Subject(kind=ErasureKind.AUTHOR, name="ann-b")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"reviewer": "ann-b"}, True),
        ({"reviewer": "Ann-B"}, True),
        ({"body": "as @ann-b said"}, True),
        ({"hunk": {"lines": [{"text": "# TODO(ann-b): later"}]}}, True),
        ({"text": "Signed-off-by: Ann <ann-b@example.org>"}, True),
        ({"author_key": author_key("ann-b")}, True),
        ({"reviewer": "ann"}, False),
        ({"body": "joann-b, ann-bc and ann-b-c are others"}, False),
        ({"ann-b": "keys are ours"}, False),
        ({"number": 7, "nothing": None}, False),
    ],
)
def test_a_person_is_a_whole_word_anywhere(value: object, named: bool) -> None:
    assert ANN.is_named_in(value) is named
    assert Forgotten(keys=frozenset({ANN.key})).is_named_in(value) is named


def test_nobody_is_forgotten_by_default() -> None:
    assert not Forgotten().is_named_in({"reviewer": "ann"})
    assert not Forgotten().is_pull("o/r", 1, "ann")


def test_pull_requests_are_covered_by_their_place() -> None:
    pull = parse_subject(ErasureKind.PULL_REQUEST, "o/r#7")
    assert [pull.covers_pull(*place) for place in (("O/R", 7), ("o/r", 8), ("o/s", 7), ("o/r", None))] == [
        True,
        False,
        False,
        False,
    ]
    repository = parse_subject(ErasureKind.REPOSITORY, "o/r")
    assert [repository.covers_pull(*place) for place in (("o/r", 7), ("o/r", None), ("o/s", 7))] == [True, True, False]
    assert not ANN.covers_pull("ann-b/r", 7)
    assert parse_subject(ErasureKind.INSTALLATION, "7").covers_pull("o/r", 1)


@pytest.mark.parametrize("kind", ["pull_request", "repository", "author"])
def test_what_was_erased_is_known_by_its_key_alone(kind: str) -> None:
    name = {"pull_request": "o/r#7", "repository": "o/r", "author": "ann"}[kind]
    key = subject_key(ErasureKind(kind), name)
    assert name not in key
    assert Forgotten(keys=frozenset({key})).is_pull("o/r", 7, "ann")
    assert not Forgotten(keys=frozenset({key})).is_pull("o/s", 7, "bob")


def test_a_login_may_be_said_with_its_at() -> None:
    assert parse_subject(ErasureKind.AUTHOR, "@ann").name == "ann"
    with pytest.raises(UserError, match="nothing was erased"):
        parse_subject(ErasureKind.REPOSITORY, "o/r#7")


@pytest.mark.parametrize("run", ["_", "a-", "a@", "@."])
def test_long_texts_take_no_longer_than_their_length(run: str) -> None:
    """65,000 characters, as a body on GitHub may have, took 30 s."""
    began = time.thread_time()
    assert not Forgotten(keys=frozenset({"k"})).is_named_in(run * (65_000 // len(run)))
    assert time.thread_time() - began < 2
