"""How the frozen weights are held: bfloat16 only pays where the processor multiplies it natively."""

from pathlib import Path
from typing import Any, Literal

from training.config import TrainingConfig

#: What vLLM serves the base in, and what held-out figures and probes are therefore measured in.
SERVED: Literal["bfloat16"] = "bfloat16"


def decide_precision(config: TrainingConfig, processor_flags: frozenset[str]) -> Literal["float32", "bfloat16"]:
    if config.weight_precision != "auto":
        return config.weight_precision
    return "bfloat16" if processor_flags & {"amx_bf16", "avx512_bf16"} else "float32"


#: Tokens of the longest row up to which plain attention is taken on a processor.
_SHORT = 512


def decide_attention(longest: int, *, on_gpu: bool) -> Literal["eager", "sdpa"]:
    """How attention is computed in training. On a CPU the plain form is faster on short rows: its backward pass is
    matrix products, torch's fused one is not (248 against 211 tokens per CPU second at 4 x 190 tokens). On long rows
    its memory, quadratic in the length, would not fit.
    """
    return "eager" if longest <= _SHORT and not on_gpu else "sdpa"


def read_processor_flags() -> frozenset[str]:
    """Flags of the first processor; empty where /proc does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), ":")
    return frozenset(line.split(":", maxsplit=1)[1].split())


def torch_dtype(name: str) -> Any:  # noqa: ANN401 - torch.dtype, without importing torch for a type
    import torch

    return getattr(torch, name)
