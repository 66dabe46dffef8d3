"""Every command of docs/upgrading.md is typed as it stands there, in an empty place."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.workflows import engine
from app.workflows.engine.process import APPLICATION_VERSION

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs" / "upgrading.md").read_text(encoding="utf-8")


def _shown(begin: str) -> list[str]:
    """The one command that begins so."""
    (line,) = [line.strip() for line in TEXT.splitlines() if line.startswith(f"    .venv/bin/python -m {begin}")]
    return shlex.split(line)[1:]


def _type(folder: Path, arguments: list[str], data: str, url: str | None = None) -> str:
    environment = os.environ | {
        "PYTHONPATH": str(CHECKOUT),
        "UNDERSTUDY_WEBHOOK_SECRETS": "canary-webhook-secret",
        "UNDERSTUDY_OPERATOR_TOKEN": "canary-operator-token",
        "UNDERSTUDY_APP_ID": "1",
        "UNDERSTUDY_PRIVATE_KEY_FILE": str(folder / "key.pem"),
        "UNDERSTUDY_DATABASE_URL": url or f"sqlite:///{data}/understudy.db",
        "UNDERSTUDY_DATA": data,
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    engine.boot(f"sqlite:///{tmp_path / 'data' / 'understudy.db'}", scheduled=False)
    engine.shutdown()
    (tmp_path / "data/snapshots/one").mkdir(parents=True)
    (tmp_path / "data/snapshots/one/rows.jsonl").write_text("{}\n")
    return tmp_path


def test_the_commands_back_up_and_restore(folder: Path) -> None:
    assert "files" in _type(folder, _shown("app backup"), "data")
    assert "0 erasures" in _type(folder, _shown("app erasures"), "data")
    assert "restored 2 files" in _type(folder, _shown("app restore"), "new")
    assert (folder / "new/snapshots/one/rows.jsonl").read_text() == "{}\n"
    assert (folder / "new/understudy.db").is_file()


def test_the_command_moves(folder: Path, empty_postgres: str) -> None:
    *command, target = _shown("app move")
    assert target.startswith("postgresql://")
    assert "the same on both sides" in _type(folder, [*command, empty_postgres], "data")


def test_a_recording_is_named_as_it_is_told() -> None:
    *_, name = _shown("tests.integration.workflows.releases.record_release")
    assert re.fullmatch(rf"{APPLICATION_VERSION}_[\d.]+", name)
