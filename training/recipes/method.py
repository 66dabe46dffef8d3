"""LoRA or QLoRA: how the frozen weights are held while the update is learned."""

from pathlib import Path
from typing import Literal

from app.domain.advice import decide_method
from training.config import TrainingConfig

Method = Literal["lora", "qlora"]


def choose_method(config: TrainingConfig, *, parameters: int, accelerator: int | None) -> Method:
    """The one that was asked for; for `auto` what the pre-flight advises. `accelerator` in bytes, None without one."""
    return decide_method(parameters, accelerator).method if config.method == "auto" else config.method


def read_parameters(base: Path) -> int:
    """Of a base folder in 16 bits, from the size of its weights."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors")) // 2


def read_accelerator() -> int | None:
    """Memory of the first card in bytes; None without one."""
    import torch

    return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else None
