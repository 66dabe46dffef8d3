"""What a pod laid into its own folder leads the service nowhere."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.runners.children import run_child
from app.runners.guarded import open_guarded
from app.runners.staging import CONFIGURATION, THRESHOLDS, stage_run
from tests.unit.runners.tasks import a_task


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "release.pem"
    path.write_text("a key")
    return path


def test_a_plain_file_is_written_appended_and_read(tmp_path: Path) -> None:
    place = tmp_path / "a.log"
    for mode, content in (("wb", b"long ago"), ("wb", b"one"), ("ab", b" two")):
        with open_guarded(place, "wb" if mode == "wb" else "ab") as file:
            file.write(content)
    with open_guarded(place, "rb") as file:
        assert file.read() == b"one two"


@pytest.mark.parametrize("mode", ["rb", "wb", "ab"])
def test_a_link_is_not_followed_and_a_pipe_not_waited_for(tmp_path: Path, secret: Path, mode: str) -> None:
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(Refused, match="to be a plain file"):
            open_guarded(tmp_path / name, mode)  # type: ignore[arg-type]  # the three modes there are
    assert secret.read_text() == "a key"


def test_the_configuration_goes_through_no_link(tmp_path: Path, secret: Path) -> None:
    task = a_task(tmp_path)
    task.out.mkdir(parents=True)
    (task.out / CONFIGURATION).symlink_to(secret)
    with pytest.raises(Refused, match="to be a plain file"):
        stage_run(task)
    assert secret.read_text() == "a key"


def test_configuration_and_thresholds_travel_in_the_runs_folder(tmp_path: Path) -> None:
    task = replace(a_task(tmp_path), policy=tmp_path / "mine.json")
    (tmp_path / "mine.json").write_text('{"nll_lift": 0.3}')
    staged = stage_run(task)
    assert (staged.config, staged.policy) == (task.out / CONFIGURATION, task.out / THRESHOLDS)
    assert (task.out / THRESHOLDS).read_text() == '{"nll_lift": 0.3}'
    assert stage_run(replace(task, config=None, policy=None)) == replace(task, config=None, policy=None)


def test_a_childs_output_and_lock_go_through_no_link(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "confirm.log").symlink_to(secret)
    with pytest.raises(Refused, match="to be a plain file"):
        asyncio.run(run_child(["-c", "print(1)"], log=tmp_path / "confirm.log", lock=tmp_path / "free.lock"))
    (tmp_path / "child.lock").symlink_to(tmp_path / "made")
    code = asyncio.run(run_child(["-c", "pass"], log=tmp_path / "plain.log", lock=tmp_path / "child.lock"))
    assert code != 0
    assert not (tmp_path / "made").exists()
    assert secret.read_text() == "a key"
