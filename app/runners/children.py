"""Child programs that can outlive neither this process nor each other.

A killed worker must not leave a trainer behind on the same GPU: the kernel kills the child with the thread that forked
it, which is the event loop's own and lives as long as the process; and the child itself holds a lock on its work, so
that a second one waits for it to be gone.
"""

import asyncio
import codecs
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from app.domain.errors import RetryLater
from app.domain.log_lines import LOG_FORMAT
from app.runners.guarded import open_guarded

#: What the child exits with when its lock stays taken, or by itself: sysexits.h's "try again later".
_TRY_LATER = 75
_TERMINATE_SECONDS = 5.0
_CHUNK_BYTES = 65_536
_OURS = "UNDERSTUDY_"

# Runs in the child before its program, after the fork and therefore not in `preexec_fn`, which may deadlock in a
# process with threads. 1 is PR_SET_PDEATHSIG, 9 is SIGKILL; both survive the exec.
_PRELUDE = """
import ctypes, fcntl, os, sys, time
parent, lock, wait_seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != parent:
    os._exit(1)
if lock:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                os._exit(75)
            time.sleep(0.1)
    os.set_inheritable(descriptor, True)
os.execv(sys.executable, [sys.executable, *sys.argv[4:]])
"""


async def run_child(
    arguments: Sequence[str],
    *,
    log: Path,
    on_line: Callable[[str], None] | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    lock: Path | None = None,
    lock_wait_seconds: float = 15,
) -> int:
    """Run this Python with `arguments` (`["-m", "training", …]`) to its end and return its exit status.

    Call it on the event loop, never through a thread of its own. Output goes to `log`, appended, and line by line to
    `on_line`. Cancelling ends the child and all it started.

    Args:
        cwd: by default this process's working folder.
        environment: by default this process's without UNDERSTUDY_*: a child gets no secret of ours.
        lock: file that the child holds locked while it lives; by default `log` with the suffix `.lock`.

    Raises:
        Refused: when `log` is no plain file.
        RetryLater: another child held the lock for `lock_wait_seconds`, or the program says that it may work later.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    held = log.with_suffix(".lock") if lock is None else lock
    prelude = [sys.executable, "-I", "-S", "-c", _PRELUDE]
    command = [*prelude, str(os.getpid()), str(held.absolute()), str(lock_wait_seconds), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(_environment() if environment is None else environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        await _copy_output(process, log, on_line)
        status = await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)
    if status == _TRY_LATER:
        raise RetryLater(f"another process still works with {held}, or what the child needs is away", lock_wait_seconds)
    return status


def _environment() -> dict[str, str]:
    """How it is to log is no secret."""
    return {name: value for name, value in os.environ.items() if name == LOG_FORMAT or not name.startswith(_OURS)}


async def _copy_output(process: Process, log: Path, on_line: Callable[[str], None] | None) -> None:
    if process.stdout is None:
        raise AssertionError("the child was started with a pipe")
    lines = _Lines()
    with open_guarded(log, "ab") as file:
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            file.write(chunk)
            file.flush()
            for line in lines.feed(chunk):
                if on_line is not None:
                    on_line(line)
    for line in lines.rest():
        if on_line is not None:
            on_line(line)


class _Lines:
    """Cuts bytes into lines, however they arrive. A progress bar's carriage return ends a line, too."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._open = ""

    def feed(self, chunk: bytes) -> Iterator[str]:
        *closed, self._open = re.split(r"[\r\n]", self._open + self._decoder.decode(chunk))
        return (line for line in closed if line.strip())

    def rest(self) -> Iterator[str]:
        return iter([self._open] if self._open.strip() else [])


async def _end(process: Process) -> None:
    """First politely, so that the trainer can finish a checkpoint; then with everything in its session."""
    _signal_session(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _TERMINATE_SECONDS)
    except TimeoutError:
        _signal_session(process, signal.SIGKILL)
        await process.wait()


def _signal_session(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may end by itself in the meantime
        os.killpg(process.pid, number)
