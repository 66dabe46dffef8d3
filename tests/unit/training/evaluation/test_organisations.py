"""The comparison of organisations counts pull requests, not comments."""

import pytest

from tests.benchmarks.organisations import resample_groups
from training.evaluation.measures import Floats


def _mean(column: Floats) -> float:
    return float(column.mean())


def test_a_comment_ten_times_over_in_its_pull_request_is_one_witness() -> None:
    once = resample_groups([[0.1, 0.4, 0.2, 0.9]], ["1", "2", "3", "4"], _mean)
    often = resample_groups([[0.1, 0.4, 0.2, 0.9] * 10], ["1", "2", "3", "4"] * 10, _mean)
    assert (often.value, often.low, often.high, often.n) == pytest.approx((once.value, once.low, once.high, 4))
