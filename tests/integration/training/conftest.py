"""A tiny random base and a small snapshot, made once for all training tests, and trainers that die."""

import os
import signal
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

#: A trainer that kills itself at a share of its steps: whoever reads its words and then kills may be late.
_DYING = """
import os, runpy, signal, sys
from training.process.progress import Progress

share, report = float(sys.argv.pop(1)), Progress.report

def report_and_die(self, stage, step, total, **figures):
    report(self, stage, step, total, **figures)
    if stage == "sft" and step >= share * total:
        os.kill(os.getpid(), signal.SIGKILL)

Progress.report = report_and_die
runpy.run_module("training", run_name="__main__", alter_sys=True)
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


def _start(*command: str) -> subprocess.Popen[str]:
    """Python as a child, its output in one pipe."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def run_training(*arguments: str | Path) -> tuple[int, str]:
    """`python -m training …` to its end."""
    process = _start("-m", "training", *map(str, arguments))
    said, _ = process.communicate(timeout=550)
    return process.returncode, said


def kill_training(share: float, *arguments: str | Path) -> None:
    """`python -m training …`, which is killed as soon as it has told of that share of its steps."""
    process = _start("-c", _DYING, str(share), *map(str, arguments))
    said, _ = process.communicate(timeout=550)
    assert process.returncode == -signal.SIGKILL, said
