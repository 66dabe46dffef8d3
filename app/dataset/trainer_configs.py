"""Trainings for those who train elsewhere: the settings of our own recipe in the words of Axolotl and Unsloth. Pure but
for `load_recipe`.

By the schemas of the packages axolotl 0.19 (`axolotl.utils.schemas`) and unsloth 2026.10.9 (`unsloth_cli.config`). What
they make is no AdapterVersion: it has no Locator, no AcceptanceFilter and no gate's verdict, and comes back as none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from app.dataset.card import CardConfig
from app.domain.errors import spoken_place

_RECIPE = Path(__file__).parents[2] / "training" / "configs" / "default.yaml"
#: The reader puts the base there; ours is a folder, too, and no name to look up.
_BASE = "./base"


def load_recipe() -> dict[str, Any]:
    """Our default recipe, every key of it.

    Raises:
        UserError: when the checkout is not whole.
    """
    with spoken_place(_RECIPE):
        return dict(yaml.safe_load(_RECIPE.read_text(encoding="utf-8")))


def render_axolotl(config: CardConfig, recipe: Mapping[str, Any]) -> bytes:
    """`axolotl train axolotl.yaml` in the export's folder, with the base in `base`."""
    common = {"ds_type": "json", "type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}

    def listed(split: str) -> list[dict[str, object]]:
        path, rows = config.splits[split]
        return [{"path": path, "split": "train", "train_on_eos": "turn", **common}] if rows else []

    told = {
        "base_model": _BASE,
        "chat_template": "tokenizer_default",
        "train_on_inputs": False,
        "datasets": listed("train"),
        "test_datasets": listed("heldout"),
        "adapter": "lora",
        "lora_r": recipe["rank"],
        "lora_alpha": recipe["alpha"],
        "lora_dropout": recipe["dropout"],
        "lora_target_modules": list(recipe["target_modules"]),
        "sequence_len": recipe["max_length"],
        "micro_batch_size": recipe["batch_rows"],
        "gradient_accumulation_steps": recipe["accumulate"],
        "num_epochs": recipe["epochs"],
        "learning_rate": recipe["learning_rate"],
        "lr_scheduler": recipe["schedule"],
        "warmup_ratio": recipe["warmup"],
        "weight_decay": recipe["weight_decay"],
        "optimizer": "adamw_torch",
        "bf16": "auto",
        "seed": recipe["seed"],
        "save_steps": recipe["checkpoint_every_steps"],
        "output_dir": "./trained",
    }
    return yaml.safe_dump(told, sort_keys=False).encode()


def render_unsloth(config: CardConfig, recipe: Mapping[str, Any]) -> bytes:
    """`unsloth train --config unsloth.yaml` in the export's folder, with the base in `base`. Its warm-up is a number of
    steps: ours is a share, taken of the steps that these rows make."""
    path, rows = config.splits["train"]
    steps = -(-rows // (recipe["batch_rows"] * recipe["accumulate"])) * recipe["epochs"]
    told = {
        "model": _BASE,
        "data": {"local_dataset": [path], "format_type": "chatml"},
        "training": {
            "training_type": "lora",
            "load_in_4bit": False,
            "max_seq_length": recipe["max_length"],
            "output_dir": "./trained",
            "num_epochs": recipe["epochs"],
            "learning_rate": recipe["learning_rate"],
            "batch_size": recipe["batch_rows"],
            "gradient_accumulation_steps": recipe["accumulate"],
            "warmup_steps": round(recipe["warmup"] * steps),
            "save_steps": recipe["checkpoint_every_steps"],
            "weight_decay": recipe["weight_decay"],
            "random_seed": recipe["seed"],
            "train_on_completions": True,
        },
        "lora": {
            "lora_r": recipe["rank"],
            "lora_alpha": recipe["alpha"],
            "lora_dropout": recipe["dropout"],
            "target_modules": ",".join(recipe["target_modules"]),
        },
    }
    return yaml.safe_dump(told, sort_keys=False).encode()
