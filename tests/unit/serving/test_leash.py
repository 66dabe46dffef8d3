"""Nothing outlives its leash: real processes, really killed."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import UserError
from serving import leash
from serving.engine import Engine, EngineOptions
from serving.state import StateFolder
from tests.serving_fixture import find_on_leash

#: A parent with a child of its own, as vLLM's server has its engine; neither ends by itself.
FAMILY = ["sh", "-c", "sleep 600 & sleep 600"]


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / uuid.uuid4().hex


def test_the_family_dies_when_the_starter_is_gone(mark: Path) -> None:
    held = _start(mark, FAMILY)
    _wait(lambda: len(find_on_leash(mark)) >= 3)
    assert held.stdin is not None
    held.stdin.close()  # what the kernel does for a starter that was killed
    held.wait(10)
    _wait(lambda: not find_on_leash(mark))


def test_the_family_dies_when_the_command_is_killed(mark: Path) -> None:
    held = _start(mark, FAMILY)
    _wait(lambda: len(find_on_leash(mark)) >= 3)
    shell = next(pid for pid in find_on_leash(mark) if Path(f"/proc/{pid}/comm").read_text().strip() == "sh")
    os.kill(shell, signal.SIGKILL)
    held.communicate(timeout=10)
    _wait(lambda: not find_on_leash(mark))


def test_what_a_killed_leash_left_is_found_by_its_mark(mark: Path) -> None:
    held = _start(mark, FAMILY)
    _wait(lambda: len(find_on_leash(mark)) >= 3)
    held.kill()
    held.communicate(timeout=10)
    left = _settled(mark)
    assert left, "a grandchild survives the leash, which is why the mark exists"
    assert sorted(leash.end_leftovers(str(mark.resolve()))) == left
    _wait(lambda: not find_on_leash(mark))


def test_one_state_folder_serves_once(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path), StateFolder(tmp_path)
    with first.locked(), pytest.raises(UserError, match="another `serving run` uses"), second.locked():
        pass
    with second.locked():
        pass
    assert first.ensure_key("read") == second.ensure_key("read")
    assert (tmp_path / "read.key").stat().st_mode & 0o777 == 0o600


def _start(mark: Path, command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", leash.__file__, *command],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"PATH": os.environ["PATH"], leash.MARK: str(mark.resolve())},
    )


def _settled(mark: Path) -> list[int]:
    time.sleep(0.5)
    return sorted(find_on_leash(mark))


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("folder", ["state", "long" * 30], ids=["here", "elsewhere"])
async def test_the_socket_has_a_path_that_fits(tmp_path: Path, folder: str) -> None:
    engine = Engine(EngineOptions(base=tmp_path), state=tmp_path / folder)
    assert len(str(engine.socket)) < 107, "what Linux allows"
    assert (engine.socket.parent == tmp_path / folder) == (folder == "state")
    await engine.close()
    assert folder == "state" or not engine.socket.parent.exists()
