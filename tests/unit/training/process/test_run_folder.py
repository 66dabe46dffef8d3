"""A run folder has one owner at a time and one purpose for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.adapters import TRAINER_LOCK, BaseCheckpoint
from app.domain.errors import Refused, UserError
from training.config import resolve_config
from training.process.files import save_text
from training.process.lock import hold_folder
from training.process.runkey import RunKey, claim_folder

BASE = BaseCheckpoint(name="b", revision="r", weights_hash="w", tokenizer_hash="t", template_hash="c")
KEY = RunKey(snapshot="ds1:a", base=BASE, prompt_version="p2", config=resolve_config().config)


def test_two_trainers_never_share_a_folder(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from training.process.lock import hold_folder\n"
            "with hold_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(Refused, match=str(holder.pid)), hold_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with hold_folder(tmp_path):
        pass


def test_what_a_rented_machine_laid_there_is_not_written_through(tmp_path: Path) -> None:
    secret, run = tmp_path / "release.pem", tmp_path / "run"
    secret.write_text("a key")
    run.mkdir()
    for name in (".served.json.writing", TRAINER_LOCK):
        (run / name).symlink_to(secret)
    with pytest.raises(UserError, match=r"served\.json to be a place that can be written"):
        save_text(run / "served.json", "{}")
    with pytest.raises(UserError, match="to be a place that can be written"), hold_folder(run):
        pass
    assert secret.read_text() == "a key"


def test_another_training_is_refused_by_the_field_that_differs(tmp_path: Path) -> None:
    claim_folder(tmp_path, KEY)
    claim_folder(tmp_path, KEY)
    with pytest.raises(UserError, match="its snapshot differs"):
        claim_folder(tmp_path, KEY.model_copy(update={"snapshot": "ds1:b"}))
