"""The saved adapter, proven servable: vLLM's limits on LoRA, checked before and after training."""

import json
from pathlib import Path

from safetensors import safe_open

from app.domain.errors import Refused, UserError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
#: Options of a PEFT configuration that vLLM refuses or, worse, ignores; the only servable value of each.
_SERVABLE: dict[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    "modules_to_save": (None, []),
    "use_dora": (False, None),
    "lora_bias": (False, None),
    "alora_invocation_tokens": (None,),
    "layer_replication": (None,),
    "use_qalora": (False, None),
    "use_bdlora": (None, False),
    "trainable_token_indices": (None,),
}
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "eva", "lora_ga")


def find_adapter(folder: Path) -> Path:
    """The folder that holds the PEFT files: `folder` itself, or its `adapter`.

    Raises:
        UserError: when neither does.
    """
    for place in (folder / "adapter", folder):
        if (place / CONFIG).is_file() and (place / WEIGHTS).is_file():
            return place
    raise UserError(f"expected {CONFIG} and {WEIGHTS} in {folder} or {folder / 'adapter'}, found neither pair")


def check_servable(folder: Path) -> None:
    """The adapter is plain LoRA on linear layers and nothing else.

    Raises:
        Refused: naming the option or tensor that vLLM would not serve.
    """
    options = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for name, allowed in _SERVABLE.items():
        if options.get(name) not in allowed:
            raise Refused("not_servable", f"{folder}: {name} is {options[name]!r}; vLLM serves only {allowed[0]!r}")
    start = str(options.get("init_lora_weights", True)).lower()
    if start.startswith(_CHANGES_BASE):
        raise Refused("not_servable", f"{folder}: init_lora_weights {start!r} changes the base; use the plain one")
    with safe_open(folder / WEIGHTS, framework="np") as tensors:
        strange = [name for name in tensors.keys() if ".lora_A." not in name and ".lora_B." not in name]  # noqa: SIM118
    if strange:
        raise Refused("not_servable", f"{folder}: tensor {strange[0]} is no LoRA matrix; vLLM would refuse the adapter")
