"""A Locator counts as better than chance only where random lines of the same pull requests would not do as well."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation.places import Places, measure_places
from training.scores.lines import Lines
from training.scores.text_scores import Floats


def _lines(draw: np.random.Generator, sizes: list[tuple[int, int]]) -> Lines:
    """Pull requests of so many lines with so many comments."""
    labels: NDArray[np.int64] = np.concatenate(
        [draw.permutation([1] * said + [0] * (count - said)) for count, said in sizes]
    )
    pulls = np.repeat(np.arange(len(sizes)), [count for count, _ in sizes])
    return Lines(sites=(), labels=labels, pulls=pulls, hunks=pulls)


_UNEQUAL = [(30, 4)] * 60 + [(3_000, 1)] * 10


def _is_better(places: Places) -> bool:
    assert places.hit is not None
    assert places.chance is not None
    return places.hit.low > places.chance.high


def test_chance_is_that_of_as_many_random_lines_in_each_pull_request() -> None:
    places = measure_places(_lines(np.random.default_rng(0), _UNEQUAL), np.ones(31_800), 0.5)
    assert places.chance is not None
    assert places.chance.value == pytest.approx((60 * 4 * 5 / 30 + 10 * 5 / 3_000) / 250)
    assert places.chance.n == 70


def test_a_coin_seldom_passes_on_unequal_pull_requests_and_a_real_one_does() -> None:
    coins, real = [], []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        lines = _lines(draw, _UNEQUAL)
        noise: Floats = draw.random(len(lines.labels))
        coins.append(_is_better(measure_places(lines, noise, 0.5)))
        real.append(_is_better(measure_places(lines, 0.7 * noise + 0.3 * lines.labels, 0.5)))
    assert np.mean(coins) < 0.1
    assert all(real)


def test_the_interval_of_the_hits_resamples_pull_requests() -> None:
    """One comment five times over in each pull request is one witness: the interval must not shrink."""
    draw = np.random.default_rng(1)
    found = draw.random(20) < 0.5
    once = Lines((), np.ones(20, dtype=np.int64), np.arange(20), np.arange(20))
    often = Lines((), np.ones(100, dtype=np.int64), np.repeat(np.arange(20), 5), np.repeat(np.arange(20), 5))
    few = measure_places(once, found.astype(float), 0.5).hit
    many = measure_places(often, np.repeat(found, 5).astype(float), 0.5).hit
    assert few is not None
    assert many is not None
    assert (many.value, many.low, many.high) == (few.value, few.low, few.high)


def test_without_a_commented_line_there_is_no_hit_and_no_chance() -> None:
    places = measure_places(_lines(np.random.default_rng(0), [(10, 0)]), np.ones(10), 0.5)
    assert (places.hit, places.chance) == (None, None)
