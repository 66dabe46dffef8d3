"""Secrets and personal data drop a written example whole; which it was is said, never what."""

import time
from datetime import UTC, datetime

import pytest

from app.domain.written import WrittenExample, WrittenKind
from app.github.harvested import Account, HarvestedPull
from app.history.changes import CommitChange, FileChange
from app.history.deciding import LeftOut, Origin, PullRequestWords, decide_commit, read_pull_words
from app.history.words import LONGEST_MESSAGE, decide_message_noise, render_description
from tests.planted_secrets import plant

ORIGIN = Origin(host="github.test", repository_id=1, repository="acme/store")
CODE = "\n".join(f"+    total_{row} = order.lines[{row}].price" for row in range(14))


def a_commit(
    hunks: str, message: str = "Add up the lines of an order\n\nSo that the total can be shown early."
) -> object:
    file = FileChange(None, "orders.py", "b" * 40, None, 15, hunks, ())
    return decide_commit(
        CommitChange("a" * 40, "Mara", "mara@acme.test", datetime(2026, 1, 5, tzinfo=UTC), message, (file,)), ORIGIN
    )


def test_a_clean_commit_is_kept() -> None:
    assert isinstance(a_commit(f"@@ -0,0 +1,14 @@\n{CODE}"), WrittenExample)


def test_a_secret_in_the_diff_drops_the_commit() -> None:
    for kind, _, text in plant(15, seed=5):
        added = "\n".join(f"+{line}" for line in text.split("\n"))
        found = a_commit(f"@@ -0,0 +1,20 @@\n{CODE}\n{added}")
        assert isinstance(found, LeftOut), kind
        assert found.reason == "secret"


def test_personal_data_in_the_message_drops_the_commit() -> None:
    found = a_commit(
        f"@@ -0,0 +1,14 @@\n{CODE}", "Add up the lines\n\nAsk jo.doe@northwind-trading.com before changing it."
    )
    assert isinstance(found, LeftOut)
    assert found.reason == "personal_data"


#: GitHub takes 65,536 characters.
LONGEST_BODY = 65_000
HOSTILE = ["a-", "-", "A.", "eyJ-", "eyJ", "a@", "@a.", "<!--", "bump ", "1.", "<@"]


@pytest.mark.parametrize("run", HOSTILE)
def test_a_long_body_is_not_read_at_all(run: str) -> None:
    pull = HarvestedPull(
        **ORIGIN.model_dump(),
        number=7,
        title="Add up the lines",
        author=Account(login="mallory", kind="User"),
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        merged=True,
        base_sha="b" * 40,
        head_sha="a" * 40,
        labels=(),
        reviews=(),
        threads=(),
    )
    body = "Some words of a person.\n\n" + run * (LONGEST_BODY // len(run))
    began = time.thread_time()
    found = read_pull_words(PullRequestWords(pull, body, pull.base_sha))
    assert time.thread_time() - began < 0.5
    assert found == LeftOut(WrittenKind.PULL_REQUEST, "too_long", "acme/store#7")


@pytest.mark.parametrize("run", HOSTILE)
def test_words_take_no_longer_than_their_length(run: str) -> None:
    """Beside the bound: 16,000 characters of half an address took 0.75 s, 65,000 took 12."""
    text = "Some words of a person.\n\n" + run * (LONGEST_BODY // len(run))
    began = time.thread_time()
    decide_message_noise(render_description(text))
    assert time.thread_time() - began < 2


def test_a_long_commit_message_is_left_out() -> None:
    found = a_commit(f"@@ -0,0 +1,14 @@\n{CODE}", "Add up the lines\n\n" + "a-" * LONGEST_MESSAGE)
    assert isinstance(found, LeftOut)
    assert found.reason == "too_long"
