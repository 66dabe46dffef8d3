"""A second between two writes, and no more of them in any hour than GitHub takes."""

from itertools import pairwise

import pytest

from app.domain.errors import RetryLater
from app.github.pacing import Pace


def test_writes_at_once_are_spread_a_second_apart() -> None:
    pace = Pace(pause_seconds=1, per_hour=500)
    assert [pace.take(100.0) for _ in range(4)] == [0, 1, 2, 3]
    assert pace.take(110.0) == 0


def test_a_storm_of_two_hundred_pull_requests_keeps_both_limits() -> None:
    """Three writes each, asked for as fast as they are let: none is refused that could go, and none goes too early."""
    pace, now = Pace(pause_seconds=1, per_hour=500), 0.0
    begun: list[float] = []
    while len(begun) < 600:
        try:
            now += pace.take(now)
            begun.append(now)
        except RetryLater as later:
            now += later.after_seconds
    assert all(after - before >= 1 for before, after in pairwise(begun))
    for span, most in ((60, 80), (3_600, 500)):
        assert max(sum(start <= other < start + span for other in begun) for start in begun) <= most
    assert 3_600 <= begun[500] <= 3_601


def test_a_refused_write_is_not_counted() -> None:
    pace = Pace(pause_seconds=0, per_hour=2)
    pace.take(0.0)
    pace.take(10.0)
    for _ in range(5):
        with pytest.raises(RetryLater):
            pace.take(20.0)
    assert pace.take(3_600.0) == 0
    with pytest.raises(RetryLater):
        pace.take(3_601.0)
