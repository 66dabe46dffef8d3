"""What not to say: the adapter, trained further on which comments the team acted on and which it rejected (KTO).

It starts from the SFT adapter, which is also what it is held close to: TRL keeps a frozen copy of it, named "ref", and
only "default" is saved. Folder beside the SFT's files:

    preferred/checkpoints/   TRL's, for the resume only
    preferred/adapter/       the result, as the SFT's
    kto.json                 written last
"""

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from datasets import Dataset
from transformers.trainer_callback import PrinterCallback
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer

from app.domain.base import Record
from training.base.tokens import load_tokenizer
from training.process.files import is_json, load_record, save_record
from training.process.progress import Progress
from training.recipes.adapter_files import check_servable
from training.recipes.arguments import CHECKPOINTS, begin_training, shared_arguments
from training.recipes.clock import Clock
from training.recipes.compaction import compact_output_layer
from training.recipes.sft import ADAPTER
from training.recipes.task import Task
from training.recipes.weights import attach_trained, newest_checkpoint, read_precision, save_adapter
from training.rows.preferences import Balance, Preference, decide_balance, pair_outcomes
from training.rows.tokenising import Tokenizer

DONE = "kto.json"
FOLDER = "preferred"


class KtoRecord(Record):
    """`first_loss` is near 0.5: policy and reference are still the same."""

    accepted: int
    rejected: int
    accepted_weight: float
    rejected_weight: float
    steps: int
    seconds: float
    first_loss: float
    last_loss: float


def train_preferences(task: Task, progress: Progress) -> KtoRecord:
    """Go on from `adapter/`, or from the newest whole checkpoint, or return what is already there.

    Raises:
        UserError: when accepted or rejected comments are too few to tell them apart.
    """
    if is_json(task.out / DONE):
        return load_record(task.out / DONE, KtoRecord, what="a preference training's record")
    tokenizer = load_tokenizer(task.base)
    snapshot = task.snapshot
    found = pair_outcomes(
        snapshot.outcomes("train"),
        snapshot.comments("train"),
        snapshot.hunks("train"),
        tokenizer,
        task.config.max_length,
    )
    balance = decide_balance([one.accepted for one in found])
    progress.say(
        f"preferences: {balance.accepted} accepted (weight {balance.accepted_weight:.2f}), "
        f"{balance.rejected} rejected (weight {balance.rejected_weight:.2f})"
    )
    # in its own folder, on its own time: the time budget was the SFT's
    beside = replace(task, out=task.out / FOLDER, budget_seconds=None)
    record = _train(beside, _order(found, task), balance, tokenizer, progress)
    check_servable(beside.out / ADAPTER)
    save_record(task.out / DONE, record)
    shutil.rmtree(beside.out / CHECKPOINTS, ignore_errors=True)
    return record


def _train(
    task: Task, rows: Sequence[Preference], balance: Balance, tokenizer: Tokenizer, progress: Progress
) -> KtoRecord:
    begin_training(task)
    weights = attach_trained(task, task.out.parent / ADAPTER, max(len(one.row.tokens) for one in rows))
    width = _batch_rows(task)
    tokens = [sum(len(one.row.tokens) for one in rows[at : at + width]) for at in range(0, len(rows), width)]
    clock = Clock("kto", tokens, task.out, None, progress)
    with compact_output_layer():
        trainer = KTOTrainer(
            model=weights,
            args=_arguments(task, balance),
            train_dataset=_dataset(rows, tokenizer),
            processing_class=tokenizer.raw,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=newest_checkpoint(task.out / CHECKPOINTS))
    save_adapter(trainer.model, task, task.out / ADAPTER)
    return KtoRecord(
        **vars(balance),
        steps=clock.step,
        seconds=round(clock.elapsed, 2),
        first_loss=clock.losses[0],
        last_loss=clock.losses[-1],
    )


def _order(found: list[Preference], task: Task) -> list[Preference]:
    """Whole passes in random order; what fills no batch is left out, for KTO compares the rows of a batch."""
    draw = random.Random(task.config.seed)  # noqa: S311 - an order that can be repeated, no secret
    ordered: list[Preference] = []
    for _ in range(max(1, round(task.config.preference_epochs))):
        draw.shuffle(found)
        ordered += found
    width = _batch_rows(task)
    return ordered[: max(width, len(ordered) - len(ordered) % width)]


def _batch_rows(task: Task) -> int:
    return max(2, task.config.batch_rows)  # KTO estimates how far it went from the other rows of the batch


def _dataset(rows: Sequence[Preference], tokenizer: Tokenizer) -> Dataset:
    """As text that gives exactly our tokens: TRL's own reading of messages adds the line feed after the end token."""
    decode: Any = tokenizer.raw.decode
    return Dataset.from_list(
        [
            {
                "prompt": decode(one.row.tokens[: one.row.prompt_tokens]),
                "completion": decode(one.row.tokens[one.row.prompt_tokens :]),
                "label": one.accepted,
            }
            for one in rows
        ]
    )


def _arguments(task: Task, balance: Balance) -> KTOConfig:
    return KTOConfig(
        **shared_arguments(task, read_precision(task)),
        per_device_train_batch_size=_batch_rows(task),
        learning_rate=task.config.preference_rate,
        desirable_weight=balance.accepted_weight,
        undesirable_weight=balance.rejected_weight,
    )
