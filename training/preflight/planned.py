"""What the recipe is going to do with these rows: the plan of its steps, and how it holds the base."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.adapters import BaseCheckpoint
from app.domain.estimates import Method
from app.domain.snapshots import CommentRow
from training.base.precision import decide_attention, decide_precision, read_processor_flags
from training.config import TrainingConfig
from training.preflight.estimate import BatchShape
from training.preflight.longest_batch import shape_batch
from training.preflight.rows_check import Preflight
from training.rows.batches import plan_batches
from training.rows.snapshot import Snapshot
from training.rows.tokenising import TokenRow


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

    def shape(self, rows: Sequence[TokenRow]) -> BatchShape:
        return shape_batch(rows)


def plan_training(
    snapshot: Snapshot, base: Path, checkpoint: BaseCheckpoint, config: TrainingConfig, checked: Preflight
) -> Planned:
    import torch

    from training.recipes.sft import Task, attach_adapter

    plan = plan_batches(checked.rows, _weights(snapshot.comments("train")), config)
    precision = decide_precision(config, read_processor_flags())
    attention = decide_attention(max(len(row.tokens) for row in plan), on_gpu=torch.cuda.is_available())
    task = Task(snapshot, base, checkpoint, config, base, None)
    return Planned(tuple(plan), "lora", precision, attention, lambda: attach_adapter(task, precision, attention))


def _weights(rows: list[CommentRow]) -> dict[str, float]:
    return {row.example: row.weight for row in rows}
