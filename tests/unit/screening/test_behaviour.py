"""Machines with people's accounts are told by how they comment; people who repeat themselves stay people."""

from datetime import UTC, datetime, timedelta

from app.screening.behaviour import Said, decide_automatic, normalise

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUSE_RULE = "Please take the logger from the module and never print to the console here."


def said(login: str, body: str, *, after: float, pull: int = 1) -> Said:
    return Said(login=login, pull=("acme/store", pull), body=body, created_at=BEGAN + timedelta(seconds=after))


def test_ten_comments_in_seconds_are_a_machines() -> None:
    text = "Line {0} breaks the rule on names, see section {0} of the guide."
    found = decide_automatic([said("style-guard", text.format(at), after=at / 2) for at in range(10)])
    assert list(found) == ["style-guard"]


def test_one_text_five_times_in_a_second_is_a_machines() -> None:
    texts = [f"`load_{at}` has a complexity of {at + 20}, more than the 15 allowed here." for at in range(5)]
    assert list(decide_automatic([said("codequality", text, after=0) for text in texts])) == ["codequality"]


def test_one_text_in_every_pull_request_is_a_machines() -> None:
    text = "Coverage fell by {}% in this file, please add tests."
    report = [said("dev-tidewater", text.format(at), after=at * 9_000, pull=at) for at in range(60)]
    assert list(decide_automatic(report)) == ["dev-tidewater"]


def test_the_order_of_the_comments_does_not_matter() -> None:
    comments = [said("guard", f"Rule {at} is broken here, as the guide says it.", after=at) for at in range(12)]
    assert decide_automatic(comments) == decide_automatic(comments[::-1]) != {}


def test_a_reviewer_who_watches_over_one_rule_is_a_person() -> None:
    rule = [said("brunel", HOUSE_RULE, after=at * 900, pull=at) for at in range(48)]
    other = [said("brunel", f"Why is order {'abcdefgh'[at] * 3} read before the lock is held?", after=at * 700, pull=at)
             for at in range(6)]  # fmt: skip
    assert decide_automatic(rule + other) == {}


def test_a_reviewer_who_repeats_a_house_rule_is_a_person() -> None:
    other = [
        said("mara", f"Could the caller decide on {'abcdefgh'[at % 8] * 3} instead?", after=at * 700, pull=at)
        for at in range(30)
    ]
    assert decide_automatic([said("mara", HOUSE_RULE, after=at * 900, pull=at) for at in range(20)] + other) == {}


def test_a_reviewer_who_pastes_four_comments_is_a_person() -> None:
    assert decide_automatic([said("jun", HOUSE_RULE, after=at * 2) for at in range(4)]) == {}


def test_a_quick_reviewer_of_few_words_is_a_person() -> None:
    assert decide_automatic([said("jun", "nit: space", after=at * 6) for at in range(20)]) == {}


def test_what_a_machine_fills_in_is_not_compared() -> None:
    assert normalise("Method `a` has 12 lines in src/a.py") == normalise("Method `other` has 7 lines in lib/b/c.py")
    assert normalise("Close the file.") != normalise("Close the socket.")
