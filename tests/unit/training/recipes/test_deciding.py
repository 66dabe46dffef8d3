"""What the recipes decide before and while they train: the method, when to stop, whether a pilot was well."""

import pytest

from training.config import resolve_config
from training.recipes.method import decide_method
from training.recipes.pilot import summarise
from training.recipes.stopping import decide_stop, read_validations
from training.recipes.task import Validation

CONFIG = resolve_config().config


@pytest.mark.parametrize(
    ("gpu_gb", "billions", "method"),
    [
        (None, 0.135, "lora"),
        (None, 70.0, "lora"),
        (16.0, 7.0, "qlora"),
        (16.0, 1.5, "lora"),
        (24.0, 7.0, "lora"),
        (24.0, 13.0, "qlora"),
        (80.0, 13.0, "lora"),
    ],
)
def test_the_method_follows_memory_and_base(gpu_gb: float | None, billions: float, method: str) -> None:
    assert decide_method(CONFIG, gpu_gb=gpu_gb, billions=billions) == method


def test_a_method_that_was_asked_for_is_taken() -> None:
    asked = CONFIG.model_copy(update={"method": "qlora"})
    assert decide_method(asked, gpu_gb=None, billions=0.135) == "qlora"


def _validations(*pairs: tuple[float, float]) -> list[Validation]:
    return [Validation(step=10 * at, loss=loss, trained_loss=trained) for at, (loss, trained) in enumerate(pairs, 1)]


def test_training_stops_where_the_others_loss_rises_and_its_own_falls() -> None:
    rising = _validations((2.0, 2.1), (1.8, 1.9), (1.9, 1.2), (2.2, 0.7))
    assert decide_stop(rising, patience=2)
    assert not decide_stop(rising, patience=3)
    assert not decide_stop(rising[:3], patience=2)


def test_training_goes_on_where_both_rise_or_the_best_is_new() -> None:
    assert not decide_stop(_validations((2.0, 1.0), (2.1, 1.5), (2.2, 1.6)), patience=2)
    assert not decide_stop(_validations((2.0, 2.0), (2.1, 1.5), (1.9, 1.2), (1.95, 1.0)), patience=2)


def test_validations_are_read_from_a_history_with_the_mean_since_the_one_before() -> None:
    history = [
        {"loss": 3.0, "step": 1},
        {"loss": 2.0, "step": 2},
        {"eval_loss": 2.4, "step": 2},
        {"loss": 1.0, "step": 3},
        {"eval_loss": 2.2, "step": 3},
        {"train_loss": 2.0, "step": 3},
    ]
    assert read_validations(history) == (
        Validation(step=2, loss=2.4, trained_loss=2.5),
        Validation(step=3, loss=2.2, trained_loss=1.0),
    )


def test_a_pilot_is_judged_by_quarters_not_by_single_steps() -> None:
    assert summarise([4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 0.5, 1.5]) == (3.5, 1.0)
    assert summarise([4.0]) == (4.0, 4.0)
