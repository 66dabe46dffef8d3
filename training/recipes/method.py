"""LoRA or QLoRA: how the frozen weights are held while the update is learned."""

from pathlib import Path
from typing import Literal

from training.config import TrainingConfig

Method = Literal["lora", "qlora"]
#: facts of the project's guides: 4 bits where 16 GB or less hold a 7B, or 24 GB a 13B. They save a third of the memory
#: and cost about 39 % more time, so a base that is small beside its card is left whole.
_SMALL_CARD, _MIDDLE_CARD = 16.5, 24.5
_LARGE_ON_SMALL, _LARGE_ON_MIDDLE = 3.0, 13.0


def decide_method(config: TrainingConfig, *, gpu_gb: float | None, billions: float) -> Method:
    """`gpu_gb` is the card's memory, None without one; `billions` the base's parameters in 10^9.

    On a processor 4 bits work but only cost: each matrix is unpacked for each product.
    """
    if config.method != "auto":
        return config.method
    if gpu_gb is None:
        return "lora"
    small = gpu_gb <= _SMALL_CARD and billions >= _LARGE_ON_SMALL
    return "qlora" if small or (gpu_gb <= _MIDDLE_CARD and billions >= _LARGE_ON_MIDDLE) else "lora"


def read_billions(base: Path) -> float:
    """Parameters in 10^9 of a base folder in 16 bits, from the size of its weights."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors")) / 2e9


def read_gpu_gb() -> float | None:
    """Memory of the first card in 10^9 bytes; None without one."""
    import torch

    return torch.cuda.get_device_properties(0).total_memory / 1e9 if torch.cuda.is_available() else None
