"""A small training before the first full one of a base or format: does anything learn here, and how fast?"""

import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.domain.adapters import AdapterManifest
from app.domain.base import Record
from app.domain.errors import Refused
from app.domain.prompt import PROMPT_VERSION
from training.process.files import is_json, load_record, save_record
from training.process.progress import Progress
from training.recipes.sft import train_adapter
from training.recipes.task import Task

DONE = "pilot.json"
_LARGEST_PART = 0.25


class PilotRecord(Record):
    """`first_loss` and `last_loss` are means over the first and last quarter of the steps."""

    rows: int
    steps: int
    tokens_per_second: float
    first_loss: float
    last_loss: float


def is_proven(task: Task, current: Path | None) -> bool:
    """Whether the adapter in use was trained on this base with these prompts; then there is nothing to try out."""
    if current is None:
        return False
    known = load_record(current / "manifest.json", AdapterManifest, what="the current adapter's manifest")
    return known.base == task.checkpoint and known.prompt_version == PROMPT_VERSION


def run_pilot(task: Task, progress: Progress) -> PilotRecord | None:
    """One pass over the newest `pilot_rows`, in `pilot/`; None where the configuration asks for none, or where they are
    so large a part of the rows that the training itself is the trial.

    Raises:
        Refused: `pilot_failed` when the loss does not fall, `loss_not_finite` when it is no number.
    """
    if not 0 < task.config.pilot_rows <= _LARGEST_PART * len(task.snapshot.comments("train")):
        return None
    if is_json(task.out / DONE):
        return load_record(task.out / DONE, PilotRecord, what="a pilot's record")
    changes = {
        "newest_rows": task.config.pilot_rows,
        "epochs": 1.0,
        "general_share": 0.0,
        "written_share": 0.0,
        "validation_share": 0.0,
    }
    small = replace(task, config=task.config.model_copy(update=changes), out=task.out / "pilot", budget_seconds=None)
    losses = _Losses(progress)
    done = train_adapter(small, losses)
    first, last = summarise(losses.seen or [done.first_loss, done.last_loss])
    record = PilotRecord(
        rows=done.rows, steps=done.steps, tokens_per_second=done.tokens_per_second, first_loss=first, last_loss=last
    )
    check_pilot(record)
    save_record(task.out / DONE, record)
    progress.report(
        "pilot",
        1,
        1,
        text=(
            f"pilot: {record.rows} rows, loss {first:.3f} to {last:.3f}, "
            f"{record.tokens_per_second:.0f} tokens/s; the full training may begin"
        ),
    )
    return record


def summarise(losses: list[float]) -> tuple[float, float]:
    """Means of the first and the last quarter."""
    part = max(1, len(losses) // 4)
    return statistics.fmean(losses[:part]), statistics.fmean(losses[-part:])


def check_pilot(record: PilotRecord) -> None:
    """Let the full training begin.

    Raises:
        Refused: when the loss did not fall, or is no number.
    """
    fell = record.first_loss - record.last_loss
    if record.steps > 1 and not (math.isfinite(fell) and fell > 0):
        raise Refused(
            "pilot_failed",
            f"the pilot's loss went from {record.first_loss:.3f} to {record.last_loss:.3f} in {record.steps} steps on "
            f"{record.rows} rows: nothing was learned, so the full training was not begun; look at learning_rate, the "
            "base's chat template and the rows, or set pilot_rows: 0",
        )


class _Losses(Progress):
    """Reports the pilot's steps under its own name, and keeps their losses."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(None)
        self._progress = progress
        self.seen: list[float] = []

    def say(self, text: str) -> None:
        self._progress.say(f"pilot: {text}")

    def report(self, stage: str, step: int, total: int, *, loss: float | None = None, **figures: Any) -> None:  # noqa: ANN401 - passed on
        if loss is not None:
            self.seen.append(loss)
        self._progress.report("pilot", step, total, loss=loss, **figures)
