"""TRL's compact output layer on the CPU gives the loss and the gradients of the full one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from training.base.tokens import load_tokenizer
from training.recipes.compaction import compact_output_layer
from training.rows.snapshot import load_snapshot


def _step(base: Path, rows: list[dict[str, list[int]]], out: Path) -> tuple[float, torch.Tensor]:
    from datasets import Dataset

    weights = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    trainer: Any = SFTTrainer(
        model=weights,
        args=SFTConfig(
            output_dir=str(out),
            bf16=False,
            use_cpu=True,
            report_to=[],
            max_length=None,
            gradient_checkpointing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=load_tokenizer(base).raw,
    )
    batch = trainer.data_collator(rows)
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    gradient = trainer.model.model.layers[0].self_attn.q_proj.weight.grad
    assert gradient is not None
    return loss.item(), gradient


def test_losses_and_gradients_are_equal(tiny_base: Path, small_snapshot: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    encoded = [
        tokenizer.row(row.example, row.prompt, row.completion)
        for row in load_snapshot(small_snapshot).comments("train")
    ][:6]
    rows = [{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in encoded]
    full, full_gradient = _step(tiny_base, rows, tmp_path)
    with compact_output_layer():
        compact, compact_gradient = _step(tiny_base, rows, tmp_path)
    assert compact == pytest.approx(full, abs=1e-5)
    assert torch.allclose(compact_gradient, full_gradient, atol=1e-6)
