"""What the recipes decide before and while they train: the method, when to stop, whether a pilot was well."""

import pytest

from app.domain.advice import MethodFacts, advise_method
from training.config import resolve_config
from training.recipes.method import choose_method
from training.recipes.pilot import summarise
from training.recipes.stopping import decide_stop, read_validations
from training.recipes.task import Validation

CONFIG = resolve_config().config


@pytest.mark.parametrize(("card", "method"), [(None, "lora"), (16, "qlora"), (80, "lora")])
def test_without_a_wish_the_advised_method_is_taken(card: int | None, method: str) -> None:
    accelerator = None if card is None else card * 2**30
    advised = advise_method(MethodFacts(parameters=7 * 10**9, accelerator=accelerator, examples=150))
    assert CONFIG.method == "auto"
    assert choose_method(CONFIG, parameters=7 * 10**9, accelerator=accelerator) == advised.method == method


def test_a_method_that_was_asked_for_is_taken() -> None:
    asked = CONFIG.model_copy(update={"method": "qlora"})
    assert choose_method(asked, parameters=135 * 10**6, accelerator=None) == "qlora"


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
