"""Rates by adapter version, from reviews and Verdicts."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.examples import Evidence
from app.domain.verdicts import Feedback, Verdict
from app.review.rates import Judged, Reviewed, Said, measure_adapters

START = datetime(2026, 1, 5, tzinfo=UTC)
REPO = "acme/store"


def a_review(number: int, *, adapter: str = "7--v1", state: str = "posted", seconds: float | None = 60) -> Reviewed:
    at = START + timedelta(hours=number)
    asked = None if seconds is None else at
    return Reviewed(adapter, (REPO, number), state, at, asked, at + timedelta(seconds=seconds or 0))


def a_finding(
    number: int,
    verdict: Verdict = Verdict.ADDRESSED,
    *,
    adapter: str = "7--v1",
    line: int = 10,
    held_back: bool = False,
    **signs: object,
) -> Judged:
    told = Feedback.model_validate({"state": "merged", "change": Evidence.LINE, **signs})
    return Judged(adapter, (REPO, number), "a.py", line, held_back, verdict, told)


def test_shares_are_of_the_findings_whose_verdict_is_known() -> None:
    judged = [
        a_finding(1),
        a_finding(1, Verdict.IGNORED, line=40),
        a_finding(2, Verdict.DISMISSED, dismissed=True, dismissed_with_reason=True),
        a_finding(2, Verdict.DISMISSED, line=60, answers={"pushback": 1}),
        a_finding(2, Verdict.UNKNOWN, line=80),
    ]
    (rates,) = measure_adapters([a_review(1), a_review(2), a_review(3, state="silent")], judged, [])
    assert (rates.pulls, rates.comments, rates.undecided) == (3, 5, 1)
    assert rates.comments_per_pull == pytest.approx(5 / 3)
    shares = [rates.addressed, rates.ignored, rates.dismissed, rates.false_alarms]
    assert [(one.value, one.n) for one in shares if one is not None] == [(0.25, 4), (0.25, 4), (0.5, 4), (0.25, 4)]


def test_the_time_is_a_median_over_reviews_that_a_webhook_asked_for() -> None:
    reviews = [a_review(number, seconds=each) for number, each in enumerate((30, 50, 4_000, None), 1)]
    (rates,) = measure_adapters(reviews, [], [])
    assert (rates.seconds_to_review, rates.timed) == (50, 3)
    assert (rates.addressed, rates.holdback.difference) == (None, None)


def test_posting_is_compared_with_holding_back_on_merged_pull_requests() -> None:
    judged = [
        *(a_finding(number) for number in range(8)),
        *(a_finding(number, change=Evidence.UNCHANGED) for number in range(8, 10)),
        *(a_finding(20 + number, held_back=True) for number in range(3)),
        *(a_finding(30 + number, held_back=True, change=Evidence.FILE) for number in range(7)),
        a_finding(50, state="open"),
        a_finding(51, change=Evidence.UNKNOWN),
    ]
    reviews = [a_review(one.pull[1], state="held_back" if one.held_back else "posted") for one in judged]
    (rates,) = measure_adapters(reviews, judged, [])
    compared = rates.holdback
    assert compared.posted is not None
    assert compared.held_back is not None
    assert compared.difference is not None
    assert (compared.posted.value, compared.held_back.value) == (0.8, 0.3)
    assert compared.difference.value == pytest.approx(0.5)
    assert compared.difference.n == 20
    assert 0 < compared.difference.low < 0.5 < compared.difference.high
    assert (rates.held_back_pulls, rates.pulls, rates.comments) == (10, 12, 12)


def test_a_miss_is_a_comment_of_people_far_from_ours_and_counts_for_the_last_adapter() -> None:
    reviews = [a_review(1), a_review(1, adapter="7--v2"), a_review(2)]
    reviews[1] = reviews[1]._replace(created_at=START + timedelta(days=1))
    said = [
        Said((REPO, 1), "a.py", 13),  # within three lines of ours
        Said((REPO, 1), "a.py", 14),
        Said((REPO, 1), "b.py", 10),
        Said((REPO, 2), "a.py", 10),
        Said((REPO, 9), "a.py", 10),  # never reviewed: nobody was silent there
    ]
    rates = measure_adapters(reviews, [a_finding(1)], said)
    assert [(one.adapter, one.missed) for one in rates] == [("7--v2", 2), ("7--v1", 1)]
