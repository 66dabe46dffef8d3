"""Shares with intervals that stay honest at 0 and 1."""

import pytest

from app.domain.intervals import wilson_interval


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433)])
def test_wilson_intervals_are_those_of_the_textbook(hits: int, n: int, low: float, high: float) -> None:
    figure = wilson_interval(hits, n)
    assert figure
    assert figure.low == pytest.approx(low, abs=1e-4)
    assert figure.high == pytest.approx(high, abs=1e-4)
    assert wilson_interval(0, 0) is None
