"""How fast to learn at each step, with a time budget that ends a training well instead of cutting it off."""

import math

from training.config import TrainingConfig


def decide_rate(progress: float, config: TrainingConfig) -> float:
    """Factor on the learning rate at `progress` in 0..1: a linear warm-up, then the configured decay to zero."""
    if progress < config.warmup:
        return progress / config.warmup
    rest = (progress - config.warmup) / max(1e-9, 1 - config.warmup)
    if config.schedule == "constant_with_warmup":
        return 1.0
    left = max(0.0, 1 - rest)
    return left if config.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


def decide_progress(step: int, steps: int, elapsed: float, budget: float | None) -> float:
    """How far the training is: by its steps, or by its time where that runs out first.

    A slow machine so sees the same decay over fewer steps. Where the time suffices the clock changes nothing and two
    runs are equal bit by bit. The half step keeps the first step's rate above zero.
    """
    by_steps = (step + 0.5) / steps
    return min(1.0, by_steps if budget is None else max(by_steps, elapsed / budget))
