"""Time and tokens of a training: every step is reported, a time budget ends it well, a broken loss ends it at once."""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from app.domain.errors import Refused
from training.process.files import is_json, save_text
from training.process.progress import Progress
from training.recipes.pace import decide_progress


class Clock(TrainerCallback):
    """Counts time and real tokens. `step_tokens` has one entry per planned step; `folder` keeps the time spent."""

    def __init__(
        self, stage: str, step_tokens: Sequence[int], folder: Path, budget: float | None, progress: Progress
    ) -> None:
        self._stage = stage
        self._tokens = list(step_tokens)
        self._budget = budget
        self._file = folder / "clock.json"
        self._report = progress
        self._spent_before = json.loads(self._file.read_text())["seconds"] if is_json(self._file) else 0.0
        self._first_step = 0
        self._since = self._started = time.monotonic()
        self.losses: list[float] = []
        self.step = 0

    @property
    def elapsed(self) -> float:
        """Seconds of this training, those before a kill included."""
        return float(self._spent_before + time.monotonic() - self._started)

    @property
    def steps(self) -> int:
        return len(self._tokens)

    @property
    def trained_tokens(self) -> int:
        return sum(self._tokens[: self.step])

    @property
    def speed(self) -> float:
        """Real tokens per second since this process began to train."""
        done = sum(self._tokens[self._first_step : self.step])
        return max(1e-6, done / max(1e-6, time.monotonic() - self._since))

    def progress(self, step: int) -> float:
        """How far the training is at `step`, 0..1."""
        return decide_progress(step, self.steps, self._agreed_seconds(), self._budget)

    def _agreed_seconds(self) -> float:
        """`elapsed`, that of the first process where there are several: they must decide alike or wait forever."""
        if self._budget is None or not torch.distributed.is_initialized():
            return self.elapsed
        shared = [self.elapsed]
        torch.distributed.broadcast_object_list(shared, src=0)
        return shared[0]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._first_step = self.step = state.global_step
        self.losses = [row["loss"] for row in state.log_history if "loss" in row]
        self._since = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        self.step = state.global_step
        if self._budget is not None and self._agreed_seconds() >= self._budget and self.step < self.steps:
            control.should_training_stop = True
            control.should_save = True
            control.should_evaluate = args.eval_strategy != "no"
        return control

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if state.is_world_process_zero:
            save_text(self._file, json.dumps({"seconds": self.elapsed}))

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        logs: dict[str, float] = kwargs.get("logs") or {}
        if "eval_loss" in logs and state.is_world_process_zero:
            self._report.report("validation", state.global_step, self.steps, loss=logs["eval_loss"])
        if "loss" not in logs:
            return
        self.losses.append(logs["loss"])
        if not math.isfinite(logs["loss"]):
            raise Refused(
                "loss_not_finite",
                f"the loss of step {state.global_step} is {logs['loss']}; a lower learning_rate, or weight_precision: "
                "float32, is the usual remedy",
            )
        if state.is_world_process_zero:
            left = sum(self._tokens[self.step :]) / self.speed
            if self._budget is not None:
                left = min(left, max(0.0, self._budget - self.elapsed))
            self._report.report(
                self._stage, self.step, self.steps, loss=logs["loss"], tokens_per_second=self.speed, eta_seconds=left
            )
