"""Does vLLM compute this adapter as PEFT does? Decided from adapter_config.json and the header of the weights.

vLLM skips what it does not know: an adapter whose tensors match nothing is served as the bare base, with HTTP 200.
So everything outside the subset that is known to be equal is refused before loading, by name.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.errors import Refused

#: Ranks that vLLM reserves slots for; ours is rounded up to one of them.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
#: Initialisations that leave the base as it is. PiSSA, OLoRA, CorDA, LoftQ and others change it beside the adapter.
SAFE_INITIALISATIONS = (True, "gaussian", "orthogonal")
#: Fields that change what the adapter computes and that vLLM does not implement: they must be absent or falsy.
UNSUPPORTED = (
    "modules_to_save",
    "use_dora",
    "lora_bias",
    "alora_invocation_tokens",
    "layer_replication",
    "use_bdlora",
    "use_qalora",
    "trainable_token_indices",
    "target_parameters",
    "auto_mapping",
    "arrow_config",
)
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_TENSOR = re.compile(r"^base_model\.model\.(?P<module>[A-Za-z0-9_.]+)\.lora_(?P<half>[AB])\.weight$")


def round_rank(rank: int) -> int:
    """The smallest slot size that holds `rank`.

    Raises:
        Refused: when no slot does.
    """
    slot = next((size for size in RANKS if size >= rank), None)
    if slot is None or rank < 1:
        raise Refused("rank", f"expected a LoRA rank from 1 to {RANKS[-1]}, got {rank}")
    return slot


def check_config(config: Mapping[str, Any], *, max_rank: int) -> None:
    """Hold adapter_config.json against the subset that vLLM and PEFT compute alike.

    Raises:
        Refused: naming the field, what it may be and what it is.
    """
    _expect(config, "peft_type", ("LORA",))
    _expect(config, "bias", ("none", None))
    _expect(config, "init_lora_weights", (*SAFE_INITIALISATIONS, None))
    for field in UNSUPPORTED:
        if config.get(field):
            raise Refused("unservable", f"adapter_config.json: {field} must be unset, for vLLM does not compute it")
    patterns = config.get("rank_pattern") or {}
    ranks = [config.get("r"), *(patterns.values() if isinstance(patterns, dict) else [patterns])]
    for rank in ranks:
        if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= max_rank:
            raise Refused("rank", f"adapter has rank {rank}, this server holds 1 to {max_rank}; start it with more")
    alpha = config.get("lora_alpha")
    if not isinstance(alpha, int | float) or not math.isfinite(alpha) or alpha <= 0:
        raise Refused("unservable", f"adapter_config.json: lora_alpha must be a positive number, got {alpha!r}")
    _check_targets(config.get("target_modules"))


def check_tensors(shapes: Mapping[str, tuple[int, ...]], *, max_rank: int) -> None:
    """Only pairs of lora_A (rank x in) and lora_B (out x rank) on modules that vLLM replaces.

    Raises:
        Refused: naming the tensor.
    """
    halves: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        match = _TENSOR.match(name)
        if match is None or len(shape) != 2:
            raise Refused(
                "unservable", f"adapter_model.safetensors: {name} {shape} is no LoRA matrix of a linear layer"
            )
        halves.setdefault(match["module"], {})[match["half"]] = shape
    if not halves:
        raise Refused("unservable", "adapter_model.safetensors holds no tensor")
    _check_targets(halves)
    for module, pair in halves.items():
        if pair.keys() != {"A", "B"} or pair["A"][0] != pair["B"][1]:
            raise Refused(
                "unservable", f"adapter_model.safetensors: {module} lacks a fitting pair of lora_A and lora_B"
            )
        if pair["A"][0] > max_rank:
            raise Refused("rank", f"{module} has rank {pair['A'][0]}, this server holds at most {max_rank}")


def _expect(config: Mapping[str, Any], field: str, allowed: tuple[object, ...]) -> None:
    if config.get(field) not in allowed:
        raise Refused("unservable", f"adapter_config.json: {field} must be one of {allowed}, got {config.get(field)!r}")


def _check_targets(modules: object) -> None:
    if isinstance(modules, str) or not isinstance(modules, Iterable):
        raise Refused("unservable", f"adapter_config.json: target_modules must list modules, got {modules!r}")
    for module in modules:
        if str(module).rsplit(".", 1)[-1] not in TARGETS:
            raise Refused("unservable", f"target module {module} is none of {', '.join(TARGETS)}")
