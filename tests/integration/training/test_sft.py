"""The adapter training itself: time that runs out, and what is left behind."""

import json
from pathlib import Path

from training.base.making import load_base
from training.config import TrainingConfig, resolve_config
from training.process.progress import Progress
from training.recipes.sft import train_adapter
from training.recipes.task import SftRecord, Task
from training.rows.snapshot import load_snapshot


def _train(base: Path, snapshot: Path, out: Path, config: TrainingConfig, budget: float | None) -> SftRecord:
    task = Task(load_snapshot(snapshot), base, load_base(base), config, out, budget)
    return train_adapter(task, Progress(out / "progress.jsonl"))


def test_a_budget_ends_the_training_well(tiny_base: Path, small_snapshot: Path, tmp_path: Path) -> None:
    config = resolve_config("smoke").config.model_copy(update={"epochs": 200.0, "threads": 1})
    record = _train(tiny_base, small_snapshot, tmp_path, config, 4.0)
    assert record.stopped == "time"
    assert 0 < record.steps < record.planned_steps
    assert record.seconds < 30
    assert {path.name for path in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    rows = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert len(rows) == record.steps
    assert {"stage", "step", "total", "loss", "tokens_per_second", "eta_seconds", "at"} <= set(rows[0])
    assert rows[-1]["eta_seconds"] < 1


def test_the_saved_adapter_is_plain_lora_without_pickles(tiny_base: Path, small_snapshot: Path, tmp_path: Path) -> None:
    config = resolve_config("smoke").config.model_copy(update={"threads": 1, "newest_rows": 8})
    record = _train(tiny_base, small_snapshot, tmp_path, config, None)
    assert record.stopped == "complete"
    assert record.last_loss < record.first_loss
    said = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == "tiny-llama-random"
    assert said["revision"] == load_base(tiny_base).revision
    assert not list(tmp_path.rglob("*.bin"))
    assert not list(tmp_path.rglob("*.pt"))
