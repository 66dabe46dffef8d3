"""A training goes on with the tensors that its optimiser holds, or it ends."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from app.domain.errors import Refused
from training.recipes.resuming import HeldWeights, copy_adapter


class Layer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = torch.nn.Linear(4, 4, bias=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.proj(given)
        return found


def adapted() -> torch.nn.Module:
    made: torch.nn.Module = get_peft_model(Layer(), LoraConfig(r=2, target_modules=["proj"]))
    return made


def trained(weights: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [one for one in weights.parameters() if one.requires_grad]


def test_an_optimiser_with_the_models_own_tensors_may_begin_and_another_may_not() -> None:
    weights = adapted()
    optimizer = torch.optim.AdamW(trained(weights))
    HeldWeights().on_train_begin(None, None, None, model=weights, optimizer=optimizer)
    other = torch.optim.AdamW(trained(adapted()))
    with pytest.raises(Refused, match="holds 0 of the 2 tensors"):
        HeldWeights().on_train_begin(None, None, None, model=weights, optimizer=other)


def test_a_checkpoint_is_copied_into_the_tensors_that_are_there_in_their_type(tmp_path: Path) -> None:
    weights = adapted().to(torch.bfloat16)
    before = [id(one) for one in trained(weights)]
    names = [name.replace(".default.", ".") for name, one in weights.named_parameters() if one.requires_grad]
    saved = {name: torch.full_like(one, 0.5) for name, one in zip(names, trained(weights), strict=True)}
    save_file(saved, tmp_path / "adapter_model.safetensors")
    copy_adapter(weights, tmp_path)
    assert [id(one) for one in trained(weights)] == before
    assert all(one.dtype is torch.bfloat16 and bool((one == 0.5).all()) for one in trained(weights))


def test_a_checkpoint_of_other_tensors_is_refused(tmp_path: Path) -> None:
    save_file({"proj.lora_A.weight": torch.zeros(2, 4)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(Refused, match="is of another adapter"):
        copy_adapter(adapted(), tmp_path)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    weights = adapted()
    before = [one.tolist() for one in trained(weights)]
    names = [name.replace(".default.", ".") for name, one in weights.named_parameters() if one.requires_grad]
    saved = {name: torch.full_like(one, 0.5) for name, one in zip(names, trained(weights), strict=True)}
    torch.save(saved, tmp_path / "adapter_model.bin")
    with pytest.raises(Refused, match=r"adapter_model\.safetensors") as refused:
        copy_adapter(weights, tmp_path)
    assert refused.value.reason == "no_adapter"
    assert [one.tolist() for one in trained(weights)] == before
