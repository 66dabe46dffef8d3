"""Going on from a checkpoint with the very weights that the optimiser holds.

PEFT loads an adapter in 16 bits (TRL's choice for QLoRA) into new tensors of 32 bits. An optimiser that was made
before, as ours is, then goes on with the old ones: the losses look sound, and nothing is learned any more. Seen with
PEFT 0.21.2 and TRL 1.16.0, on a 4-bit base that was killed at half of its training.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import TrainerCallback
from trl.trainer.sft_trainer import SFTTrainer

from app.domain.errors import Refused
from training.recipes.weights import ADAPTER_NAME


class ResumingTrainer(SFTTrainer):
    """TRL's trainer, except that a checkpoint's adapter is copied into the tensors that are there."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ANN401 - as TRL's
        copy_adapter(self.model if model is None else model, Path(resume_from_checkpoint))


def copy_adapter(weights: Any, folder: Path) -> None:  # noqa: ANN401 - peft ships no types
    """In place, in the types that the tensors have.

    Raises:
        Refused: `no_adapter`, when the checkpoint holds none in safetensors; a pickle, which PEFT would load in its
            stead, runs whatever is written in it. `other_adapter`, when it is of other tensors than are trained.
    """
    weights_file = folder / "adapter_model.safetensors"
    if not weights_file.is_file():
        raise Refused("no_adapter", f"expected {weights_file}, got no such file; delete {folder} to begin before it")
    saved = load_file(weights_file, device="cpu")
    trained = {
        name.replace(f".{ADAPTER_NAME}.", "."): parameter
        for name, parameter in weights.named_parameters()
        if parameter.requires_grad
    }
    if saved.keys() != trained.keys():
        name = min(saved.keys() ^ trained.keys())
        raise Refused("other_adapter", f"{folder} is of another adapter than is trained: {name} is in one of them only")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(saved[name])


class HeldWeights(TrainerCallback):
    """Ends a training whose optimiser holds other tensors than the model trains: it would learn nothing, in silence."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ANN401 - as the base's
        """Raises:
        Refused: `stale_optimiser`.
        """
        held = {id(one) for group in given["optimizer"].param_groups for one in group["params"]}
        trained = {id(one) for one in given["model"].parameters() if one.requires_grad}
        if held != trained:
            raise Refused(
                "stale_optimiser",
                f"the optimiser holds {len(held & trained)} of the {len(trained)} tensors that are to be trained; "
                "report this: a library replaced them",
            )
