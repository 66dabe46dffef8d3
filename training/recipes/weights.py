"""The base with an adapter on it, in memory; and the adapter back on disk."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from training.base.precision import decide_attention, decide_precision, read_processor_flags, torch_dtype
from training.process.files import is_json, save_text
from training.recipes.adapter_files import CONFIG, WEIGHTS
from training.recipes.lora_product import fuse_products
from training.recipes.method import Method, choose_method, read_accelerator, read_parameters
from training.recipes.shared_prefix import share_prefixes
from training.recipes.task import Task

#: PEFT's name for an adapter that got none.
ADAPTER_NAME = "default"


def read_method(task: Task) -> Method:
    return choose_method(task.config, parameters=read_parameters(task.base), accelerator=read_accelerator())


def read_precision(task: Task) -> str:
    """What products are computed in; in QLoRA too, where the frozen weights are held in 4 bits."""
    return decide_precision(task.config, read_processor_flags())


def load_frozen(task: Task, longest: int) -> Any:  # noqa: ANN401 - transformers types no loaded model
    """The base as it is trained on; `longest` is the longest row in tokens."""
    kind = torch_dtype(read_precision(task))
    settings: Any = BitsAndBytesConfig  # transformers leaves it untyped
    four_bits = settings(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",  # bitsandbytes' default is fp4
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=kind,
    )
    frozen = AutoModelForCausalLM.from_pretrained(
        task.base,
        dtype=kind,
        attn_implementation=decide_attention(longest, on_gpu=torch.cuda.is_available()),
        quantization_config=four_bits if read_method(task) == "qlora" else None,
        local_files_only=True,
    )
    keep_layout(frozen)
    return frozen


def keep_layout(frozen: torch.nn.Module) -> None:
    """On a processor with AVX512-BF16 bitsandbytes 0.50.2 packs 4-bit weights anew at their first use in evaluation,
    with loss, and trains on with those: a validation would change the training, and a resume end in other bytes."""
    layers: list[Any] = [layer for layer in frozen.modules() if hasattr(layer, "support_avx512bf16_for_cpu")]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False


def attach_new(task: Task, longest: int) -> Any:  # noqa: ANN401 - peft ships no types
    """The base with a fresh adapter that changes nothing yet."""
    adapter = LoraConfig(
        r=task.config.rank,
        lora_alpha=task.config.alpha,
        lora_dropout=task.config.dropout,
        target_modules=list(task.config.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
        revision=task.checkpoint.revision,
    )
    return quicken(get_peft_model(load_frozen(task, longest), adapter))


def attach_trained(task: Task, adapter: Path, longest: int) -> Any:  # noqa: ANN401 - peft ships no types
    """The base with an adapter of ours, to be trained further."""
    weights = PeftModel.from_pretrained(load_frozen(task, longest), adapter, is_trainable=True)
    # the file names the base; at every checkpoint PEFT looks for it, and a name would be looked up on a hub
    weights.peft_config[ADAPTER_NAME].base_model_name_or_path = str(task.base)
    return weights


def quicken(weights: Any) -> Any:  # noqa: ANN401 - peft ships no types
    """The same function of the same tokens in less time. A card's own kernels need no help."""
    if not torch.cuda.is_available():
        fuse_products(weights)
        share_prefixes(weights.get_base_model().base_model)
    return weights


def save_adapter(trained: Any, task: Task, place: Path) -> None:  # noqa: ANN401 - peft ships no types
    """Only the two files that are served: no pickle, no tokenizer copy, no card, no path of this machine."""
    made, beside = place.with_name(".peft"), place.with_name(f".{place.name}")
    for old in (made, beside, place):
        shutil.rmtree(old, ignore_errors=True)
    trained.save_pretrained(made, safe_serialization=True, selected_adapters=[ADAPTER_NAME])
    options = json.loads((made / CONFIG).read_text(encoding="utf-8"))
    options["base_model_name_or_path"] = task.checkpoint.name
    options["target_modules"] = sorted(options["target_modules"])  # PEFT writes a set, in any order
    options["inference_mode"] = True
    beside.mkdir(parents=True)
    save_text(beside / CONFIG, json.dumps(options, indent=1, sort_keys=True) + "\n")
    shutil.copyfile(made / WEIGHTS, beside / WEIGHTS)
    beside.rename(place)
    shutil.rmtree(made)


def newest_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that is whole; `trainer_state.json` is written last. Half ones are removed."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if is_json(path / "trainer_state.json"):
            whole.append(path)
        else:
            shutil.rmtree(path)
    return str(max(whole, key=lambda path: int(path.name.rsplit("-", 1)[1]))) if whole else None
