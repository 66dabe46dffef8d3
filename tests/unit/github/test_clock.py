"""GitHub's time, from what every answer says."""

from datetime import UTC, datetime, timedelta

import pytest

from app.github.clock import measure_lead, read_date

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_the_lead_is_what_githubs_clock_is_ahead() -> None:
    assert read_date({"date": "Mon, 05 Jan 2026 12:00:00 GMT"}) == NOON
    assert measure_lead({"date": "Mon, 05 Jan 2026 12:02:00 GMT"}, NOON) == timedelta(minutes=2)
    assert measure_lead({"date": "Mon, 05 Jan 2026 11:58:00 GMT"}, NOON) == timedelta(minutes=-2)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Jan 2026 12:00:00 GMT", "Mon, 05 Jan 2026 12:00:00 -0000"])
def test_what_is_no_moment_tells_nothing(date: str) -> None:
    assert measure_lead({"date": date}, NOON) is None
    assert measure_lead({}, NOON) is None
