"""The learning rate over a training, and how a time budget bends it."""

import pytest

from training.config import resolve_config
from training.recipes.pace import decide_progress, decide_rate

CONFIG = resolve_config().config.model_copy(update={"warmup": 0.1, "schedule": "cosine"})


def test_the_rate_rises_then_falls_to_nothing() -> None:
    assert decide_rate(0.05, CONFIG) == pytest.approx(0.5)
    assert decide_rate(0.1, CONFIG) == pytest.approx(1.0)
    assert decide_rate(0.55, CONFIG) == pytest.approx(0.5)
    assert decide_rate(1.0, CONFIG) == pytest.approx(0.0)


def test_enough_time_changes_nothing() -> None:
    assert decide_progress(10, 100, 1.0, None) == decide_progress(10, 100, 1.0, 60.0)


def test_a_slow_machine_decays_by_the_clock() -> None:
    assert decide_progress(10, 100, 45.0, 60.0) == pytest.approx(0.75)
    assert decide_progress(10, 100, 99.0, 60.0) == 1.0
