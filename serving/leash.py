"""Run a command whose whole process group dies with us, and with whoever started us.

vLLM's API server starts an engine process that survives a kill -9 of the server and of its starter, with all
its memory. So vLLM runs in a process group of its own, led by this little program, which waits for either

- the end of its standard input: the starter is gone, in whatever way, for the kernel closes pipes of the dead
- the end of the command

and then kills the group, itself included. The exit code is told on standard error before that.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
#: Set in the environment of everything on the leash: what a later start looks for after we were killed ourselves.
MARK = "UNDERSTUDY_SERVING_STATE"


def main(command: list[str]) -> None:
    """Never returns: ends by SIGKILL of the own group."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent())  # noqa: PLW1509
    ended = os.pidfd_open(child.pid)
    select.select([sys.stdin.fileno(), ended], [], [])
    code = child.poll()
    reason = "starter is gone" if code is None else f"exit code {code}"
    print(f"leash: {reason}; ending the process group", file=sys.stderr, flush=True)  # noqa: T201
    os.killpg(0, signal.SIGKILL)


def _die_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None)  # loaded before the fork: between fork and exec as little as possible may happen

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask_kernel


def end_leftovers(mark: str) -> list[int]:
    """Kill what an earlier run left when front and leash were killed at once; returns the process ids.

    A process is ours when its environment carries our mark, so a reused process id cannot mislead.
    """
    wanted = f"{MARK}={mark}".encode()
    found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _carries(pid, wanted)]  # noqa: PTH208
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return found


def _carries(pid: int, wanted: bytes) -> bool:
    if pid == os.getpid():
        return False
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:  # noqa: PTH123
            return wanted in stream.read().split(b"\0")
    except OSError:
        return False


if __name__ == "__main__":
    main(sys.argv[1:])
