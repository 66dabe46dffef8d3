"""Figures and their intervals."""

import numpy as np
import pytest

from training.evaluation.measures import bootstrap, mean_figure, share_figure, style_figure


def test_an_interval_holds_the_value_and_is_the_same_each_time() -> None:
    values = list(np.random.default_rng(0).normal(2, 1, 60))
    figure = mean_figure(values)
    assert figure is not None
    assert figure.low < figure.value < figure.high
    assert figure == mean_figure(values)


def test_columns_are_resampled_together() -> None:
    """A difference between equal columns has no spread, however much each varies."""
    values = list(np.random.default_rng(0).normal(2, 1, 60))
    figure = bootstrap([values, values], lambda a, b: float(a.mean() - b.mean()))
    assert figure is not None
    assert (figure.low, figure.high) == (0.0, 0.0)


def test_rows_of_one_pull_request_are_no_independent_witnesses() -> None:
    """Ten pull requests of four equal rows each say as much as ten rows, not as forty."""
    values = [float(value) for value in np.random.default_rng(0).normal(2, 1, 10)]
    rows, of = [value for value in values for _ in range(4)], [str(at) for at in range(10) for _ in range(4)]
    apart = bootstrap([values], lambda column: float(column.mean()))
    together = bootstrap([rows], lambda column: float(column.mean()), groups=of)
    assert apart is not None
    assert together is not None
    assert (together.low, together.high) == pytest.approx((apart.low, apart.high))
    assert together.n == 40


def test_a_share_of_all_is_still_uncertain() -> None:
    figure = share_figure([True] * 20)
    assert figure is not None
    assert figure.value == 1.0
    assert figure.low == pytest.approx(0.839, abs=0.001)


def test_nothing_measured_is_none_and_never_zero() -> None:
    assert mean_figure([]) is None
    assert share_figure([]) is None
    assert style_figure([], []) is None


def test_style_is_near_for_the_same_habits_and_far_for_others() -> None:
    team = ["How about `close()` here?", "How about a `Cents`?", "Could you use `clock`?"]
    same = style_figure(team[::-1], team)
    other = style_figure(["This function computes the value of the thing and returns it to the caller. " * 4] * 3, team)
    assert same is not None
    assert other is not None
    assert same.value == 0.0
    assert other.value > 0.5
