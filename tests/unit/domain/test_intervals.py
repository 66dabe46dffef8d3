"""Shares with intervals that stay honest at 0 and 1."""

import pytest

from app.domain.intervals import newcombe_interval, wilson_interval


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433)])
def test_wilson_intervals_are_those_of_the_textbook(hits: int, n: int, low: float, high: float) -> None:
    figure = wilson_interval(hits, n)
    assert figure
    assert figure.low == pytest.approx(low, abs=1e-4)
    assert figure.high == pytest.approx(high, abs=1e-4)
    assert wilson_interval(0, 0) is None


def test_the_difference_is_that_of_newcombes_second_table() -> None:
    """Newcombe 1998, interval estimation for the difference between independent proportions, table II, method 10."""
    found = newcombe_interval(wilson_interval(56, 70), wilson_interval(48, 80))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert found.n == 150


def test_there_is_no_difference_from_nothing() -> None:
    assert newcombe_interval(wilson_interval(1, 2), None) is None
    assert newcombe_interval(None, wilson_interval(1, 2)) is None
