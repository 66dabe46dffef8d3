"""What the recipe is going to do with these rows: the plan of its steps, and how it holds the base."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.estimates import Method
from training.base.precision import decide_attention
from training.preflight.estimate import BatchShape
from training.preflight.longest_batch import shape_batch
from training.preflight.rows_check import Preflight
from training.rows.batches import plan_batches
from training.rows.mixture import mix_rows
from training.rows.tokenising import Tokenizer, TokenRow

if TYPE_CHECKING:
    from training.recipes.task import Task


@dataclass(frozen=True)
class Planned:
    """`attach` reads the base and puts a fresh adapter on it, as the training will."""

    plan: tuple[TokenRow, ...]
    method: Method
    precision: str
    attention: str
    attach: Callable[[], Any]
    #: matrices that read the same vector keep it once
    fused: bool = False
    #: positions that are only passed forward, at the checkpoints
    looked_at: int = 0
    #: what all rows of a batch open with is computed once
    shares: bool = False

    def shape(self, rows: Sequence[TokenRow]) -> BatchShape:
        return shape_batch(rows, shared=_count_shared(rows) if self.shares else 0)


def _count_shared(rows: Sequence[TokenRow]) -> int:
    """Opening tokens of every row, as `training/recipes/shared_prefix.py` counts them in a padded batch."""
    if len(rows) < 2:
        return 0
    alike = 0
    for column in zip(*(row.tokens for row in rows), strict=False):
        if len(set(column)) > 1:
            break
        alike += 1
    return min(alike, max(len(row.tokens) for row in rows) - 1)


def plan_training(task: "Task", checked: Preflight, tokenizer: Tokenizer) -> Planned:
    """As `training/recipes/sft.py` will do it: the same rows in the same order, the same way to hold the base."""
    import torch

    from training.recipes.weights import attach_new, read_method, read_precision

    config, snapshot = task.config, task.snapshot
    mixture = mix_rows(checked.rows, snapshot.comments("train"), snapshot.written("train"), tokenizer, config)
    plan = tuple(plan_batches(mixture.rows, mixture.weights, config))
    longest = max(len(row.tokens) for row in [*plan, *mixture.validation])
    on_gpu = torch.cuda.is_available()
    looks = math.ceil(len(plan) / (config.batch_rows * config.accumulate) / config.checkpoint_every_steps)
    return Planned(
        plan=plan,
        method=read_method(task),
        precision=read_precision(task),
        attention=decide_attention(longest, on_gpu=on_gpu),
        attach=lambda: attach_new(task, longest),
        fused=not on_gpu,
        looked_at=looks * sum(len(row.tokens) for row in mixture.validation),
        shares=not on_gpu,
    )
