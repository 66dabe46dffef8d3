"""Only what vLLM can serve is an adapter."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from app.domain.errors import Refused, UserError
from training.recipes.adapter_files import check_servable, find_adapter

GOOD = {"peft_type": "LORA", "bias": "none", "modules_to_save": None, "init_lora_weights": True}


def _write(folder: Path, options: dict[str, object], tensor: str = "m.q_proj.lora_A.weight") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(GOOD | options))
    save_file({tensor: np.zeros((2, 2), dtype=np.float32)}, folder / "adapter_model.safetensors")
    return folder


def test_plain_lora_is_served(tmp_path: Path) -> None:
    check_servable(_write(tmp_path, {}))


@pytest.mark.parametrize(
    "option",
    [
        {"use_dora": True},
        {"bias": "all"},
        {"modules_to_save": ["lm_head"]},
        {"init_lora_weights": "pissa_niter_4"},
        {"peft_type": "LOHA"},
        {"layer_replication": [[0, 2]]},
    ],
    ids=lambda option: next(iter(option)),
)
def test_what_vllm_refuses_is_refused_here(tmp_path: Path, option: dict[str, object]) -> None:
    with pytest.raises(Refused, match=next(iter(option))):
        check_servable(_write(tmp_path, option))


def test_other_tensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"lm_head\.weight is no LoRA matrix"):
        check_servable(_write(tmp_path, {}, "lm_head.weight"))


def test_an_adapter_is_found_in_a_version_or_alone(tmp_path: Path) -> None:
    alone = _write(tmp_path / "adapter", {})
    assert find_adapter(alone) == alone
    assert find_adapter(tmp_path) == alone
    with pytest.raises(UserError, match="found neither pair"):
        find_adapter(tmp_path / "nothing")
