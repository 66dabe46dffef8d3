"""Programs that attack the sandbox: what they wanted did not happen."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.training.forgetting.hostile import DAEMON, FORGING, GREEDY, HOARDER, REACHING, Hostile
from training.forgetting import inside
from training.forgetting.jail import Jail
from training.forgetting.sandbox import Attempt, Sandbox, find_sandbox

CHECKOUT = Path(__file__).parents[4]
SQUARE = "assert attack(3) == 9\nassert attack(4) == 16\nassert attack(5) == 25"


@dataclass(frozen=True)
class Bait:
    """What hostile programs are told to reach for. It is there, and it works, outside the sandbox."""

    secret: Path
    unix: Path
    port: int
    mark: str
    listener: socket.socket

    def aim(self, program: str) -> str:
        for name in ("secret", "unix", "port", "mark"):
            program = program.replace(f"{{{name}}}", str(getattr(self, name)))
        return program.replace("{checkout}", str(CHECKOUT))


@pytest.fixture
def bait() -> Iterator[Bait]:
    """In a folder that everybody may read: what hides it must be the jail, not its owner."""
    with (
        tempfile.TemporaryDirectory() as made,
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as daemon,
    ):
        folder = Path(made)
        folder.chmod(0o755)
        secret = folder / "secret"
        secret.write_text("the owner's key")
        daemon.bind(str(folder / "daemon"))
        daemon.listen()
        listener.setblocking(False)
        yield Bait(secret, folder / "daemon", listener.getsockname()[1], f"mark-{uuid4().hex}", listener)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return find_sandbox()


@pytest.fixture(scope="module")
def hasty(sandbox: Sandbox) -> Sandbox:
    """For programs that never end by themselves: a second shows that as well as ten."""
    return Sandbox(sandbox.jail, seconds=1.0)


@pytest.mark.parametrize("hostile", REACHING, ids=lambda hostile: hostile.name)
def test_nothing_is_reached(hostile: Hostile, sandbox: Sandbox, bait: Bait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTILE_MARK", bait.mark)
    program = bait.aim(hostile.program)
    if hostile.live:
        assert _run_outside(program) == "done"
        _forget(bait)
    refused = Attempt(program, "attack", "", f"assert attack() == {hostile.refused}")
    assert sandbox.judge(refused)
    with pytest.raises(BlockingIOError):
        bait.listener.accept()
    assert not _find(bait.mark)
    assert bait.secret.read_text() == "the owner's key"


@pytest.mark.parametrize("hostile", FORGING, ids=lambda hostile: hostile.name)
def test_no_pass_is_forged(hostile: Hostile, sandbox: Sandbox) -> None:
    assert not sandbox.judge(Attempt(hostile.program, "attack", "", SQUARE))


@pytest.mark.parametrize("hostile", GREEDY, ids=lambda hostile: hostile.name)
def test_the_machine_is_not_taken(hostile: Hostile, hasty: Sandbox) -> None:
    started = time.monotonic()
    assert not hasty.judge(Attempt(hostile.program, "attack", "", SQUARE))
    assert time.monotonic() - started < 30


def test_memory_is_bounded_and_the_limit_is_what_bounds_it(sandbox: Sandbox) -> None:
    assert sandbox.judge(Attempt(HOARDER, "attack", "", "assert 100 < attack() < 512"))


def test_a_right_program_passes_after_all_of_them(sandbox: Sandbox) -> None:
    assert sandbox.judge(Attempt("def attack(n): return n * n", "attack", "", SQUARE))


def test_no_process_is_left_behind(sandbox: Sandbox, bait: Bait) -> None:
    assert sandbox.judge(Attempt(bait.aim(DAEMON), "attack", "", SQUARE))
    deadline = time.monotonic() + 30
    while _living(bait.mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _living(bait.mark)


def test_a_program_gets_its_standard_descriptors_and_the_two_wires_only(sandbox: Sandbox) -> None:
    program = """
import os
def attack():
    open_ones = []
    for number in range(32):
        try:
            os.fstat(number)
        except OSError:
            continue
        open_ones.append(number)
    return open_ones
"""
    assert sandbox.judge(Attempt(program, "attack", "", "assert attack() == [0, 1, 2, 3, 4]"))


def test_anybody_can_make_a_jail_where_user_namespaces_are_allowed(sandbox: Sandbox) -> None:
    """The very command that a user without root runs, run by such a user, with an interpreter that he may read."""
    if os.geteuid() != 0:
        pytest.skip("run without root: every test of this file was this one")
    if not Path(sys.base_prefix).is_relative_to("/usr") and not _system_python().is_file():
        pytest.skip(f"no {_system_python()}, and another user may not read {sys.base_prefix}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        jail = Jail(_public_copy(sandbox.jail.bubblewrap, Path(folder)), Path("/usr"), False, sandbox.jail.seccomp)
        job = {"setup": "", "tests": "assert __import__('os').getuid() == 65534", "entry": "attack"}
        with jail.prepare("judge", job, 0) as (command, passed):
            done = subprocess.run(
                command, pass_fds=passed, input=b"ready\n", capture_output=True, check=False,
                user=65534, group=65534, extra_groups=[],
            )  # fmt: skip
    assert (done.returncode, done.stderr) == (inside.PASSED, b"")


def _system_python() -> Path:
    return Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")


def _public_copy(bubblewrap: Path, folder: Path) -> Path:
    """With the library that the package lays beside it."""
    package = bubblewrap.parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.name)
    return folder / package.name / bubblewrap.parent.name / bubblewrap.name


def _run_outside(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(attack())"], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def _forget(bait: Bait) -> None:
    """What the attack left while it was run outside on purpose."""
    for path in _find(bait.mark):
        path.unlink()
    try:
        bait.listener.accept()[0].close()
    except BlockingIOError:
        return  # it was not about the network


def _find(mark: str) -> list[Path]:
    return [path for folder in ("/tmp", "/dev/shm", ".") if (path := Path(folder) / mark).exists()]  # noqa: S108


def _living(mark: str) -> list[str]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in line.read_bytes():
                found.append(line.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while the list was read
    return found
