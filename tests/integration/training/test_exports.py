"""TRL's own trainer takes an export as it is: by its card, with every extra column, and learns the answers only."""

from pathlib import Path

import pytest

from app.dataset.exporting import export_snapshot
from app.dataset.formats import Format

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("form", [Format.TRL, Format.AXOLOTL])
def test_trl_trains_on_an_export(tmp_path: Path, tiny_base: Path, small_snapshot: Path, form: Format) -> None:
    from datasets import load_dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    export_snapshot(small_snapshot, form, tmp_path / "out", None)
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    settings = SFTConfig(
        output_dir=str(tmp_path / "run"),
        per_device_train_batch_size=2,
        max_steps=1,
        use_cpu=True,
        bf16=False,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        dataloader_pin_memory=False,
        gradient_checkpointing=False,
    )

    trainer = SFTTrainer(model=str(tiny_base), args=settings, train_dataset=rows)
    trainer.train()

    first = next(iter(trainer.get_train_dataloader()))
    if form is Format.TRL:
        assert (first["labels"] == -100).any()  # the question is not trained on
    assert (first["labels"] != -100).any()
    assert trainer.state.global_step == 1
