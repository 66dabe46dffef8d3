"""A training that is killed at a tenth, at half and at nine tenths ends in the very bytes of one left in peace."""

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.training.conftest import kill_training, run_training
from training.process.files import hash_file

pytestmark = pytest.mark.slow

# With all that has a state of its own: dropout, validation, general rows
CONFIG = """
rank: 8
alpha: 16
dropout: 0.05
learning_rate: 5.0e-3
epochs: 2
batch_rows: 4
checkpoint_every_steps: 2
validation_share: 0.25
general_share: 0.1
pilot_rows: 0
threads: 1
"""


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, larger_snapshot: Path) -> list[str | Path]:
    config: Path = tmp_path_factory.mktemp("resume") / "config.yaml"
    config.write_text(CONFIG)
    return ["sft", "--snapshot", larger_snapshot, "--base", tiny_base, "--config", config]


@pytest.fixture(scope="module")
def quantised(arguments: list[str | Path], tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The same on a base in 4 bits, whose adapter TRL holds in 16 bits and PEFT loads in 32."""
    config: Path = tmp_path_factory.mktemp("resume") / "config.yaml"
    config.write_text(f"{CONFIG}method: qlora\nweight_precision: bfloat16\n".replace("epochs: 2", "epochs: 1"))
    return [*arguments[:-1], config]


def _kill_at(share: float, arguments: list[str | Path], out: Path) -> None:
    kill_training(share, *arguments, "--out", out)
    assert not (out / "sft.json").exists()
    assert list((out / "checkpoints").glob("checkpoint-*")), "nothing to resume from: the kill came too early"


def test_killed_three_times_it_ends_in_the_same_bytes(arguments: list[str | Path], tmp_path: Path) -> None:
    peace, killed = tmp_path / "peace", tmp_path / "killed"
    code, said = run_training(*arguments, "--out", peace)
    assert code == 0, said
    for share in (0.1, 0.5, 0.9):
        _kill_at(share, arguments, killed)
    code, said = run_training(*arguments, "--out", killed)
    assert code == 0, said
    name = "adapter/adapter_model.safetensors"
    assert hash_file(killed / name) == hash_file(peace / name)
    records = [json.loads((folder / "sft.json").read_text()) for folder in (peace, killed)]
    same = ("steps", "stopped", "kept_step", "validations", "first_loss", "last_loss", "general", "validation_rows")
    assert [records[1][field] for field in same] == [records[0][field] for field in same]
    assert records[0]["validation_rows"] >= 16
    assert records[0]["general"]["rows"] > 0
    shutil.rmtree(killed)


def test_killed_in_the_middle_a_training_on_four_bits_goes_on_learning_to_the_same_bytes(
    quantised: list[str | Path], tmp_path: Path
) -> None:
    peace, killed = tmp_path / "peace", tmp_path / "killed"
    assert run_training(*quantised, "--out", peace)[0] == 0
    _kill_at(0.5, quantised, killed)
    assert run_training(*quantised, "--out", killed)[0] == 0
    name = "adapter/adapter_model.safetensors"
    assert hash_file(killed / name) == hash_file(peace / name)
