"""When to stop: the loss of rows that are not trained on rises while that of the trained ones falls.

Read from the trainer's own history and nothing else. The history is part of every checkpoint, so a training that was
killed and went on stops at the same step.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import TrainerCallback

from training.recipes.task import Validation

History = Sequence[Mapping[str, float]]


def read_validations(history: History) -> tuple[Validation, ...]:
    """Each validation of a trainer's history, with the mean of the training losses since the one before."""
    found: list[Validation] = []
    losses: list[float] = []
    for row in history:
        if "eval_loss" in row:
            mean = sum(losses) / len(losses) if losses else float("nan")
            found.append(Validation(step=int(row["step"]), loss=row["eval_loss"], trained_loss=mean))
            losses = []
        elif "loss" in row:
            losses.append(row["loss"])
    return tuple(found)


def decide_stop(validations: Sequence[Validation], patience: int) -> bool:
    """The last `patience` validations are all worse than the best one before them, and training still learns."""
    if len(validations) <= patience:
        return False
    best = min(validations, key=lambda one: one.loss)
    since = [one for one in validations if one.step > best.step]
    return len(since) >= patience and since[-1].trained_loss < best.trained_loss


class StopWhenOverfit(TrainerCallback):
    """Asks after every validation; `stopped` is true once it said yes."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self.stopped = False

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if decide_stop(read_validations(state.log_history), self._patience):
            self.stopped = control.should_training_stop = True
        return control
