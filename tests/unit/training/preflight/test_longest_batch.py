"""The pass before the first step: real steps of a tiny base, and planted trainees that fail as trainings do."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.training_data import write_snapshot
from training.base.making import load_base
from training.base.tokens import load_tokenizer
from training.config import resolve_config
from training.preflight.longest_batch import LoraTrainee, check_independence, shape_batch, try_batches
from training.preflight.planned import plan_training
from training.preflight.rows_check import preflight
from training.recipes.task import Task
from training.rows.snapshot import load_snapshot
from training.rows.tokenising import TokenRow

ROWS = [TokenRow(f"ex1:{size}", (1, *range(5, 5 + size), 2), 3) for size in (8, 9, 12, 30)]


class Planted:
    """Rows of a batch see each other when `leaks`; a batch of more than `room` positions runs out of memory."""

    def __init__(self, *, leaks: bool = False, room: int = 10_000) -> None:
        self._leaks, self._room = leaks, room
        self.steps: list[int] = []

    def step(self, rows: Sequence[TokenRow]) -> None:
        positions = shape_batch(rows).positions
        if positions > self._room:
            raise torch.OutOfMemoryError("planted")
        self.steps.append(positions)

    def losses(self, rows: Sequence[TokenRow]) -> list[float]:
        return [1.0 + (0.2 * at if self._leaks else 0.001 * at) for at, _ in enumerate(rows)]


def test_rows_that_see_each_other_are_refused() -> None:
    (finding,) = check_independence(Planted(leaks=True), ROWS)
    assert (finding.mode, finding.severity) == (7, "refuse")
    assert "1.000 alone and 1.200 beside" in finding.text
    assert check_independence(Planted(), ROWS) == []


def test_a_batch_that_does_not_fit_is_refused() -> None:
    passes = try_batches(lambda: Planted(room=20), [ROWS[:1], ROWS[1:2], ROWS[3:]], shape=shape_batch)
    assert [(finding.check, finding.mode) for finding in passes.findings] == [("longest_batch", 19)]
    assert "32 tokens" in passes.findings[0].text
    assert passes.timings == ()


def test_the_longest_batch_is_tried_last_and_the_smallest_not_timed() -> None:
    planted = Planted()
    passes = try_batches(lambda: planted, [ROWS[3:], ROWS[:1], ROWS[1:2]], shape=shape_batch)
    assert planted.steps == [10, 11, 32]
    assert [timing.positions for timing in passes.timings] == [11, 32]


def test_another_error_is_no_lack_of_memory() -> None:
    class Broken(Planted):
        def step(self, rows: Sequence[TokenRow]) -> None:
            raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        try_batches(Broken, [ROWS], shape=shape_batch)


def test_the_recipes_own_model_steps_and_learns_nothing(tiny_base: Path, tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=2, heldout_pulls=1)
    snapshot, tokenizer = load_snapshot(tmp_path / "snapshot"), load_tokenizer(tiny_base)
    config = resolve_config("smoke").config
    checked = preflight(snapshot.comments("train"), tokenizer, config)
    task = Task(snapshot, tiny_base, load_base(tiny_base), config, tmp_path, None)
    planned = plan_training(task, checked, tokenizer)
    trainee = LoraTrainee(planned.attach(), precision=planned.precision, pad=tokenizer.pad)
    before = trainee.losses(planned.plan[:2])
    trainee.step(planned.plan[:4])
    assert trainee.losses(planned.plan[:2]) == before
    assert check_independence(trainee, sorted(planned.plan, key=lambda row: len(row.tokens))) == []
