"""What one adapter training is made of, and the record it leaves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record
from training.base.precision import SERVED
from training.config import TrainingConfig
from training.rows.general import GeneralSource
from training.rows.snapshot import Snapshot


@dataclass(frozen=True)
class Task:
    """Everything one adapter training is made of."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    out: Path
    budget_seconds: float | None


class Validation(Record):
    """Mean loss of the rows that were set aside, after a step; `trained_loss` is the mean since the one before."""

    step: int
    loss: float
    trained_loss: float


class SftRecord(Record):
    """What the training did. `stopped` says why it ended: `complete`, `time`, or `overfit` where the loss of the rows
    that were set aside rose while the training's fell. `rows` are the team's comments, `tokens` real ones (no padding).
    """

    rows: int
    passes: int
    steps: int
    planned_steps: int
    tokens: int
    seconds: float
    tokens_per_second: float
    first_loss: float
    last_loss: float
    precision: str
    stopped: Literal["complete", "time", "overfit"]
    method: Literal["lora", "qlora"]
    #: what the reports and the gate measure in, whatever the frozen weights were held in while training
    judged_precision: str = SERVED
    validation_rows: int
    validations: tuple[Validation, ...]
    #: the step whose weights were kept
    kept_step: int
    written_rows: int
    written_tokens: int
    general: GeneralSource | None
