"""Child programs of a rehearsal: started with a log file, killed with their parent, restarted on demand."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from app.domain.errors import UserError

#: The checkout this program runs from: `python -m app` only works there, wherever the caller stands.
CHECKOUT = Path(__file__).parents[2]
_PR_SET_PDEATHSIG = 1
#: Lines of a dead child's log that its error shows.
_LOG_TAIL = 25


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """`python -m <arguments>` as a child process with its output in `log`. Start it from the main thread only:
    the kernel's parent-death signal follows the thread that forked."""

    def __init__(self, arguments: list[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.arguments = arguments
        self.log = log
        # Not the operator's settings: a play would send rows to the host that they name, or rent machines.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
        self.environment = {**inherited, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                cwd=CHECKOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread holds a lock that the child needs before exec
            )

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() comes first"  # noqa: S101  a caller's bug, not a user's
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout_seconds: float, tick: Callable[[], None]) -> None:
        """Poll `ready`, calling `tick` in between for progress.

        Raises:
            UserError: with the end of the log, when the child died or the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running:
                raise UserError(f"`python -m {' '.join(self.arguments)}` ended early:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise UserError(
                    f"`python -m {' '.join(self.arguments)}` was not ready in {timeout_seconds:.0f} s:\n{self._tail()}"
                )
            tick()
            time.sleep(0.2)

    def wait_ended(self, timeout_seconds: float, *, tick: Callable[[], None]) -> None:
        """Wait for a program that ends by itself.

        Raises:
            UserError: when it ended with an error or not in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.running and time.monotonic() < deadline:
            tick()
            time.sleep(0.2)
        if self.running or (self._process is not None and self._process.returncode != 0):
            ending = "did not end in time" if self.running else "failed"
            raise UserError(f"`python -m {' '.join(self.arguments)}` {ending}:\n{self._tail()}")

    def kill(self) -> None:
        """kill -9 and reap: what a crash, an out-of-memory kill or a lost machine looks like."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, timeout_seconds: float = 10) -> None:
        if self._process is not None and self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> "Program":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])
