"""What may happen in a repository before its owners said yes, and what becomes of the question."""

import itertools

import pytest

from app.domain.onboarding import Onboarding, Proposal, Seen, Step, Work, decide_first, decide_step, is_allowed
from app.domain.onboarding_text import Rehearsed, render_proposal

DUE, OPEN, DECLINED, STARTED = Onboarding
OPENED = Proposal(number=3, is_open=True, is_merged=False)
CLOSED = OPENED.model_copy(update={"is_open": False})
MERGED = CLOSED.model_copy(update={"is_merged": True})


def test_only_a_yes_lets_anything_show() -> None:
    allowed = {(place, work) for place, work in itertools.product(Onboarding, Work) if is_allowed(place, work)}
    assert allowed == {(STARTED, Work.READ), (STARTED, Work.ACT), (DUE, Work.READ), (OPEN, Work.READ)}


def test_the_first_place_is_what_was_granted() -> None:
    assert (decide_first(may_propose=True), decide_first(may_propose=False)) == (DUE, STARTED)


def _seen(*, granted: bool = True, policy: bool = False, pull: Proposal | None = None) -> Seen:
    return Seen(may_propose=granted, has_policy=policy, pull=pull)


@pytest.mark.parametrize(
    ("place", "seen", "is_read", "expected"),
    [
        (DUE, _seen(), True, Step(to=OPEN, propose=True)),
        (DUE, _seen(), False, Step(to=DUE)),
        (DUE, _seen(granted=False), True, Step(to=STARTED)),
        (DUE, _seen(pull=OPENED), True, Step(to=OPEN)),
        (OPEN, _seen(pull=OPENED), False, Step(to=OPEN)),
        (OPEN, _seen(pull=CLOSED), False, Step(to=DECLINED, say_declined=True)),
        (OPEN, _seen(pull=MERGED), False, Step(to=STARTED)),
        (OPEN, _seen(policy=True, pull=OPENED), False, Step(to=STARTED)),
        (OPEN, _seen(granted=False, pull=OPENED), False, Step(to=OPEN)),
        (DECLINED, _seen(pull=OPENED), False, Step(to=OPEN)),
        (DECLINED, _seen(pull=CLOSED), True, Step(to=DECLINED, say_declined=True)),
        (DECLINED, _seen(granted=False, pull=CLOSED), True, Step(to=DECLINED, say_declined=True)),
        (DECLINED, _seen(policy=True, pull=CLOSED), False, Step(to=STARTED)),
    ],
)
def test_what_is_to_be_done(place: Onboarding, seen: Seen, is_read: bool, expected: Step) -> None:
    assert decide_step(place, seen, is_read=is_read) == expected


def test_who_has_started_is_never_asked_again() -> None:
    for granted, policy, pull in itertools.product((True, False), (True, False), (None, OPENED, CLOSED, MERGED)):
        seen = _seen(granted=granted, policy=policy, pull=pull)
        assert decide_step(STARTED, seen, is_read=True) == Step(to=STARTED)


def test_the_report_is_numbers_in_our_own_words() -> None:
    found = Rehearsed(pulls=40, examples={"line": 12, "unchanged": 3}, rejections={"bot": 5, "too_short": 7})
    text = render_proposal(found)
    assert "40 merged pull requests were read, with 27 threads" in text
    assert "**15 could become examples**; 12 could not." in text
    assert "| that very line was changed afterwards | 12 |" in text
    assert text.index("| too short | 7 |") < text.index("| bot | 5 |")
    assert "Until you merge this" in text
    assert "None has a review comment" in render_proposal(Rehearsed(pulls=2, examples={}, rejections={}))
