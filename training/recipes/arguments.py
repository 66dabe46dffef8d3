"""What SFT and KTO begin with and tell TRL alike."""

from typing import Any

import torch
from transformers import set_seed

from training.process.environment import use_threads
from training.recipes.task import Task

CHECKPOINTS = "checkpoints"


def begin_training(task: Task) -> None:
    """Threads and every seed, before the first weight is made."""
    use_threads(task.config.threads)
    set_seed(task.config.seed)


def shared_arguments(task: Task, precision: str) -> dict[str, Any]:
    """Checkpoints to go on from, a line for every step, nothing sent anywhere, and no row of ours cut."""
    return {
        "output_dir": str(task.out / CHECKPOINTS),
        "num_train_epochs": 1,  # the rows hold every pass
        "gradient_checkpointing": False,
        "bf16": precision == "bfloat16",
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "steps",
        "save_steps": task.config.checkpoint_every_steps,
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "max_length": None,
        "seed": task.config.seed,
        "data_seed": task.config.seed,
    }
