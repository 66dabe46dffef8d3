"""What to say: a LoRA adapter trained by TRL on the team's own comments, restartable at every checkpoint.

Folder of a run:

    key.json       what the folder belongs to: snapshot, base, configuration. Another training is refused here
    plan.json      the hash of every row of every step, in order. A resume with another plan is refused
    checkpoints/   TRL's, for the resume only (they hold pickles and never leave this folder)
    adapter/       the result: adapter_config.json and adapter_model.safetensors
    sft.json       written last: the folder is complete
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers.trainer_callback import PrinterCallback
from trl.trainer.sft_config import SFTConfig

from app.domain.errors import UserError
from training.base.tokens import load_tokenizer
from training.preflight.rows_check import preflight
from training.process.files import is_json, load_record, save_record, save_text
from training.process.progress import Progress
from training.process.workers import is_first_process
from training.recipes.adapter_files import check_servable
from training.recipes.arguments import CHECKPOINTS, begin_training, shared_arguments
from training.recipes.clock import Clock
from training.recipes.compaction import compact_output_layer
from training.recipes.pace import decide_rate
from training.recipes.resuming import HeldWeights, ResumingTrainer
from training.recipes.stopping import StopWhenOverfit, read_validations
from training.recipes.task import SftRecord, Task
from training.recipes.weights import attach_new, newest_checkpoint, read_method, read_precision, save_adapter
from training.rows.batches import hash_plan, plan_batches
from training.rows.mixture import Mixture, mix_rows
from training.rows.tokenising import Tokenizer, TokenRow

DONE = "sft.json"
ADAPTER = "adapter"
#: Updates that are larger than this are scaled down to it.
_LARGEST_GRADIENT = 1.0


def train_adapter(task: Task, progress: Progress) -> SftRecord:
    """Train, or go on from the newest whole checkpoint, or return what is already there.

    Raises:
        UserError: when nothing sound is left to train on, or the folder was begun with other rows.
        Refused: when the loss is no finite number, or the adapter could not be served.
    """
    if is_json(task.out / DONE):
        return load_record(task.out / DONE, SftRecord, what="a training's record")
    tokenizer = load_tokenizer(task.base)
    mixture = _gather(task, tokenizer, progress)
    plan = plan_batches(mixture.rows, mixture.weights, task.config)
    _claim_plan(task.out, [*plan, *mixture.validation])
    record = train_plan(task, plan, mixture, tokenizer, progress)
    if is_first_process():
        check_servable(task.out / ADAPTER)
        save_record(task.out / DONE, record)
        shutil.rmtree(task.out / CHECKPOINTS, ignore_errors=True)
    return record


def train_plan(
    task: Task, plan: Sequence[TokenRow], mixture: Mixture, tokenizer: Tokenizer, progress: Progress
) -> SftRecord:
    """Every step of the plan, or fewer where time or overfitting ends it; the best weights are in `adapter/`."""
    begin_training(task)
    method, precision = read_method(task), read_precision(task)
    if method == "qlora":
        progress.say(f"the base is trained on in 4 bits (NF4); reports and gate judge {precision}, which is served")
    weights = attach_new(task, max(len(row.tokens) for row in [*plan, *mixture.validation]))
    clock = Clock("sft", _step_tokens(plan, task), task.out, task.budget_seconds, progress)
    stopping = StopWhenOverfit(task.config.patience)
    with compact_output_layer():
        trainer = ResumingTrainer(
            model=weights,
            args=_arguments(task, precision, validates=bool(mixture.validation)),
            train_dataset=_dataset(plan),
            eval_dataset=_dataset(mixture.validation) if mixture.validation else None,
            processing_class=tokenizer.raw,
            callbacks=[clock, stopping, HeldWeights()],
            optimizers=_learning(weights, clock, task),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=newest_checkpoint(task.out / CHECKPOINTS))
    if is_first_process():
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), task, task.out / ADAPTER)
    stopped = "overfit" if stopping.stopped else "complete" if clock.step == clock.steps else "time"
    kept = trainer.state.best_model_checkpoint if mixture.validation else None
    return SftRecord(
        rows=mixture.comments,
        passes=len(plan),
        steps=clock.step,
        planned_steps=clock.steps,
        tokens=clock.trained_tokens,
        seconds=round(clock.elapsed, 2),
        tokens_per_second=round(clock.speed, 1),
        first_loss=clock.losses[0],
        last_loss=clock.losses[-1],
        precision=precision,
        stopped=stopped,
        method=method,
        validation_rows=len(mixture.validation),
        validations=read_validations(trainer.state.log_history),
        kept_step=clock.step if kept is None else int(kept.rsplit("-", 1)[1]),
        written_rows=len(mixture.written),
        written_tokens=sum(len(row.tokens) for row in mixture.written),
        general=mixture.general,
    )


def _gather(task: Task, tokenizer: Tokenizer, progress: Progress) -> Mixture:
    comments = task.snapshot.comments("train")
    checked = preflight(comments, tokenizer, task.config)
    mixture = mix_rows(checked.rows, comments, task.snapshot.written("train"), tokenizer, task.config)
    if is_first_process():
        progress.say(f"pre-flight: {checked.sentence(task.config.max_length)}")
        progress.say(mixture.sentence())
    return mixture


def _claim_plan(out: Path, rows: Sequence[TokenRow]) -> None:
    found, plan = out / "plan.json", hash_plan(rows)
    if is_json(found) and json.loads(found.read_text())["hash"] != plan:
        raise UserError(
            f"{out} was begun with other rows than those there are now (another Python, base or tokenizer gives other "
            "ones from the same snapshot); name a new folder or delete this one"
        )
    if is_first_process():
        save_text(found, json.dumps({"hash": plan}))


def _step_tokens(plan: Sequence[TokenRow], task: Task) -> list[int]:
    per_step = task.config.batch_rows * task.config.accumulate * int(os.environ.get("WORLD_SIZE", "1"))
    return [sum(len(row.tokens) for row in plan[at : at + per_step]) for at in range(0, len(plan), per_step)]


def _learning(weights: Any, clock: Clock, task: Task) -> tuple[Any, Any]:  # noqa: ANN401 - peft ships no types
    optimizer = torch.optim.AdamW(
        [item for item in weights.parameters() if item.requires_grad],
        lr=task.config.learning_rate,
        weight_decay=task.config.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: decide_rate(clock.progress(step), task.config))
    return optimizer, schedule


def _arguments(task: Task, precision: str, *, validates: bool) -> SFTConfig:
    when = "steps" if validates else "no"
    return SFTConfig(
        **shared_arguments(task, precision),
        per_device_train_batch_size=task.config.batch_rows,
        per_device_eval_batch_size=task.config.batch_rows,
        gradient_accumulation_steps=task.config.accumulate,
        train_sampling_strategy="sequential",
        max_grad_norm=_LARGEST_GRADIENT,
        eval_strategy=when,
        eval_steps=task.config.checkpoint_every_steps,
        prediction_loss_only=True,
        load_best_model_at_end=validates,
        metric_for_best_model="eval_loss" if validates else None,
        greater_is_better=False if validates else None,
        dataset_kwargs={"skip_prepare_dataset": True},
        ddp_find_unused_parameters=False,
    )


def _dataset(rows: Sequence[TokenRow]) -> Dataset:
    return Dataset.from_list([{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in rows])
