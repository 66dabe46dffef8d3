"""A tiny random base and a small snapshot, made once for all training tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training_data import write_snapshot

QUICK = """
rank: 8
alpha: 16
learning_rate: 2.0e-3
epochs: 1
batch_rows: 4
checkpoint_every_steps: 3
generated_rows: 2
answer_tokens: 8
heldout_rows: 16
arms: [nearest, few_shot, retrieval]
compared_rows: 2
shots: 2
shot_tokens: 400
forgetting_problems: 4
forgetting_passages: 2
canaries: 2
general_share: 0
validation_share: 0
pilot_rows: 0
threads: 1
"""


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training.base.making import ensure_tiny

    folder: Path = tmp_path_factory.mktemp("tiny") / "base"
    ensure_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def small_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("small") / "snapshot"
    write_snapshot(folder, train_pulls=12, heldout_pulls=4)
    return folder


@pytest.fixture(scope="session")
def larger_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough comments that some can be set aside."""
    folder: Path = tmp_path_factory.mktemp("larger") / "snapshot"
    write_snapshot(folder, train_pulls=20, heldout_pulls=4)
    return folder


@pytest.fixture(scope="session")
def quick_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("config") / "quick.yaml"
    path.write_text(QUICK)
    return path


def start_training(*arguments: str | Path) -> subprocess.Popen[str]:
    """`python -m training …` as a child, its output in one pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "training", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def run_training(*arguments: str | Path) -> tuple[int, str]:
    process = start_training(*arguments)
    said, _ = process.communicate(timeout=550)
    return process.returncode, said
