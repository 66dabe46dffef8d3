"""What to say: a LoRA adapter trained by TRL on the team's own comments, restartable at every checkpoint.

Folder of a run:

    key.json       what the folder belongs to: snapshot, base, configuration. Another training is refused here
    checkpoints/   TRL's, for the resume only (they hold pickles and never leave this folder)
    adapter/       the result: adapter_config.json and adapter_model.safetensors
    sft.json       written last: the folder is complete
"""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, TrainerCallback, set_seed
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record
from training.base.precision import decide_attention, decide_precision, read_processor_flags, torch_dtype
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig
from training.preflight.rows_check import preflight
from training.process.environment import use_threads
from training.process.files import is_json, load_record, save_record, save_text
from training.process.progress import Progress
from training.recipes.adapter_files import CONFIG, WEIGHTS, check_servable
from training.recipes.compaction import compact_output_layer
from training.recipes.pace import decide_progress, decide_rate
from training.rows.batches import plan_batches
from training.rows.snapshot import Snapshot
from training.rows.tokenising import Tokenizer, TokenRow

DONE = "sft.json"
#: Updates that are larger than this are scaled down to it.
_LARGEST_GRADIENT = 1.0


class SftRecord(Record):
    """What the training did; `stopped` says why it ended: `complete` or `time`."""

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
    stopped: str


@dataclass(frozen=True)
class Task:
    """Everything one adapter training is made of."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    out: Path
    budget_seconds: float | None


def train_adapter(task: Task, progress: Progress) -> SftRecord:
    """Train, or go on from the newest whole checkpoint, or return what is already there."""
    if is_json(task.out / DONE):
        return load_record(task.out / DONE, SftRecord, what="a training's record")
    tokenizer = load_tokenizer(task.base)
    comments = task.snapshot.comments("train")
    checked = preflight(comments, tokenizer, task.config)
    progress.say(f"pre-flight: {checked.sentence(task.config.max_length)}")
    plan = plan_batches(checked.rows, {row.example: row.weight for row in comments}, task.config)
    record = _train(task, plan, len(checked.rows), tokenizer, progress)
    check_servable(task.out / "adapter")
    save_record(task.out / DONE, record)
    shutil.rmtree(task.out / "checkpoints", ignore_errors=True)
    return record


def _train(task: Task, plan: list[TokenRow], rows: int, tokenizer: Tokenizer, progress: Progress) -> SftRecord:
    use_threads(task.config.threads)
    set_seed(task.config.seed)
    precision = decide_precision(task.config, read_processor_flags())
    longest = max(len(row.tokens) for row in plan)
    weights = attach_adapter(task, precision, decide_attention(longest, on_gpu=torch.cuda.is_available()))
    clock = _Clock(task, plan, progress)
    optimizer = torch.optim.AdamW(
        [item for item in weights.parameters() if item.requires_grad],
        lr=task.config.learning_rate,
        weight_decay=task.config.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: decide_rate(clock.progress(step), task.config))
    with compact_output_layer():
        trainer = SFTTrainer(
            model=weights,
            args=_arguments(task, precision),
            train_dataset=_dataset(plan),
            processing_class=tokenizer.raw,
            callbacks=[clock],
            optimizers=(optimizer, schedule),
        )
        trainer.remove_callback(_printer())
        trainer.train(resume_from_checkpoint=_newest_checkpoint(task.out / "checkpoints"))
    _save_adapter(trainer.model, task)
    return clock.record(rows=rows, precision=precision)


def attach_adapter(task: Task, precision: str, attention: str) -> Any:  # noqa: ANN401 - peft ships no types
    weights = AutoModelForCausalLM.from_pretrained(
        task.base, dtype=torch_dtype(precision), attn_implementation=attention, local_files_only=True
    )
    adapter = LoraConfig(
        r=task.config.rank,
        lora_alpha=task.config.alpha,
        lora_dropout=task.config.dropout,
        target_modules=list(task.config.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
        revision=task.checkpoint.revision,
    )
    return get_peft_model(weights, adapter)


def _arguments(task: Task, precision: str) -> SFTConfig:
    return SFTConfig(
        output_dir=str(task.out / "checkpoints"),
        per_device_train_batch_size=task.config.batch_rows,
        gradient_accumulation_steps=task.config.accumulate,
        num_train_epochs=1,  # the plan holds every pass
        train_sampling_strategy="sequential",
        max_grad_norm=_LARGEST_GRADIENT,
        gradient_checkpointing=False,
        bf16=precision == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="steps",
        save_steps=task.config.checkpoint_every_steps,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        seed=task.config.seed,
        data_seed=task.config.seed,
    )


def _dataset(plan: list[TokenRow]) -> Dataset:
    return Dataset.from_list([{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in plan])


def _printer() -> type[TrainerCallback]:
    from transformers.trainer_callback import PrinterCallback

    return PrinterCallback


def _newest_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that is whole; `trainer_state.json` is written last. Half ones are removed."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if is_json(path / "trainer_state.json"):
            whole.append(path)
        else:
            shutil.rmtree(path)
    return str(max(whole, key=lambda path: int(path.name.rsplit("-", 1)[1]))) if whole else None


def _save_adapter(trained: Any, task: Task) -> None:  # noqa: ANN401 - peft ships no types
    """Only the two files that are served: no pickle, no tokenizer copy, no card, no path of this machine."""
    made, beside, place = task.out / ".peft", task.out / ".adapter", task.out / "adapter"
    for old in (made, beside, place):
        shutil.rmtree(old, ignore_errors=True)
    trained.save_pretrained(made, safe_serialization=True)
    options = json.loads((made / CONFIG).read_text(encoding="utf-8"))
    options["base_model_name_or_path"] = task.checkpoint.name
    options["target_modules"] = sorted(options["target_modules"])  # PEFT writes a set, in any order
    beside.mkdir()
    save_text(beside / CONFIG, json.dumps(options, indent=1, sort_keys=True) + "\n")
    shutil.copyfile(made / WEIGHTS, beside / WEIGHTS)
    beside.rename(place)
    shutil.rmtree(made)


class _Clock(TrainerCallback):
    """Counts time and real tokens, reports every step, and ends the training when its time is over."""

    def __init__(self, task: Task, plan: list[TokenRow], progress: Progress) -> None:
        per_step = task.config.batch_rows * task.config.accumulate
        self._budget = task.budget_seconds
        self._file = task.out / "clock.json"
        self._progress = progress
        self._tokens = [
            sum(len(row.tokens) for row in plan[first : first + per_step]) for first in range(0, len(plan), per_step)
        ]
        self._spent_before = json.loads(self._file.read_text())["seconds"] if is_json(self._file) else 0.0
        self._losses: list[float] = []
        self._passes = len(plan)
        self._first_step = self._last_step = 0
        self._since = self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return float(self._spent_before + time.monotonic() - self._started)

    def progress(self, step: int) -> float:
        return decide_progress(step, len(self._tokens), self.elapsed, self._budget)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._first_step = self._last_step = state.global_step
        self._losses = [row["loss"] for row in state.log_history if "loss" in row]
        self._since = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        self._last_step = state.global_step
        if self._budget is not None and self.elapsed >= self._budget and self._last_step < len(self._tokens):
            control.should_training_stop = True
            control.should_save = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        save_text(self._file, json.dumps({"seconds": self.elapsed}))

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        logs: dict[str, float] = kwargs.get("logs") or {}
        if "loss" not in logs:
            return
        self._losses.append(logs["loss"])
        step, total = state.global_step, len(self._tokens)
        speed = self._speed(step)
        left = sum(self._tokens[step:]) / speed
        if self._budget is not None:
            left = min(left, max(0.0, self._budget - self.elapsed))
        self._progress.report("sft", step, total, loss=logs["loss"], tokens_per_second=speed, eta_seconds=left)

    def _speed(self, step: int) -> float:
        return max(1e-6, sum(self._tokens[self._first_step : step]) / max(1e-6, time.monotonic() - self._since))

    def record(self, *, rows: int, precision: str) -> SftRecord:
        return SftRecord(
            rows=rows,
            passes=self._passes,
            steps=self._last_step,
            planned_steps=len(self._tokens),
            tokens=sum(self._tokens[: self._last_step]),
            seconds=round(self.elapsed, 2),
            tokens_per_second=round(self._speed(self._last_step), 1),
            first_loss=self._losses[0],
            last_loss=self._losses[-1],
            precision=precision,
            stopped="complete" if self._last_step == len(self._tokens) else "time",
        )
