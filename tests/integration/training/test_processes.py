"""Two processes, as `accelerate launch` starts them on two cards, learn what one does with twice the accumulation."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.integration.training.conftest import run_training

pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_two_processes_make_the_adapter_of_one(
    tiny_base: Path, small_snapshot: Path, quick_config: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    # float32: nothing but the order of two sums may differ
    config.write_text(quick_config.read_text() + "newest_rows: 24\nweight_precision: float32\n")
    common: list[str | Path] = ["sft", "--snapshot", small_snapshot, "--base", tiny_base, "--config", config]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", _free_port()]
    said = subprocess.run(
        [*map(str, launch), "-m", "training", *map(str, common), "--out", str(tmp_path / "two"), "--max-minutes", "9"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("sft 3/3") == 1
    config.write_text(config.read_text() + "accumulate: 2\n")
    code, output = run_training(*common, "--out", tmp_path / "one")
    assert code == 0, output
    one, two = (load_file(tmp_path / name / "adapter/adapter_model.safetensors") for name in ("one", "two"))
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], atol=1e-4), name
