"""Judging programs of strangers: each in a jail of its own, its tests in another, the verdict out of its reach.

Cost: about 0.1 s of one core a program (two interpreters start), so about 9 s for 164 on two cores.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from random import randrange
from textwrap import dedent
from typing import IO

from training.forgetting import inside
from training.forgetting.jail import SLOTS, Jail, NoSandbox, Role, kill, list_jails

_CANDIDATE: Role = "candidate"
_JUDGE: Role = "judge"
#: Seconds of wall clock for one program and all its tests. Generous, for a busy machine must not change a verdict; what
#: ends a program that only computes is its processor time (`inside.confine`).
_SECONDS = 20.0
#: 128 + SIGKILL and the like: the judge was ended by a limit, which only a program's answers can have driven it to.
_BY_SIGNAL = range(129, 160)


@dataclass(frozen=True)
class Attempt:
    """A program and what it must do. `setup` and `tests` are the problem's own text, `program` is anybody's.

    The tests call `entry`; arguments and answers are plain values, passed by value: a test cannot see whether its
    argument was changed in place.
    """

    program: str
    entry: str
    setup: str
    tests: str


class SandboxBroken(NoSandbox):
    """A jail could not be made, or not kept, in the middle of the work. No verdict follows from that."""


class Sandbox:
    """Proven jails: `judge` may be called from several threads at once."""

    def __init__(self, jail: Jail, seconds: float = _SECONDS) -> None:
        self.jail = jail
        self._seconds = seconds
        # Another process may be judging too; starting anywhere keeps the two apart.
        self._slots = count(randrange(SLOTS))  # noqa: S311 - no secret

    @property
    def name(self) -> str:
        return self.jail.name

    def judge(self, attempt: Attempt) -> bool:
        """True when all tests of the attempt pass within the limits.

        Raises:
            SandboxBroken: when no verdict could be had.
        """
        candidate = {"program": attempt.program, "entry": attempt.entry}
        tests = {"setup": attempt.setup, "tests": attempt.tests, "entry": attempt.entry}
        slot = next(self._slots) % SLOTS
        with ExitStack() as stack:
            said = stack.enter_context(tempfile.TemporaryFile())
            calls, answers = (_Pipe(stack) for _ in range(2))
            started: list[subprocess.Popen[bytes]] = []
            stack.callback(kill, started)
            for role, job, takes, gives in (_CANDIDATE, candidate, calls, answers), (_JUDGE, tests, answers, calls):
                with self.jail.prepare(role, job, slot) as (command, passed):
                    started.append(
                        subprocess.Popen(command, pass_fds=passed, stdin=takes.end, stdout=gives.start, stderr=said)
                    )
            calls.close()
            answers.close()
            try:
                code = started[-1].wait(self._seconds)
            except subprocess.TimeoutExpired:
                return False
            return _read_verdict(code, said)

    def judge_all(self, attempts: Sequence[Attempt]) -> list[bool]:
        """One verdict an attempt, in order, as many at once as there are cores.

        Raises:
            SandboxBroken: when one verdict could not be had.
        """
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(self.judge, attempts))


def find_sandbox() -> Sandbox:
    """A sandbox that was seen to hold on this machine, a moment ago.

    Raises:
        NoSandbox: naming what was tried and what it did.
    """
    tried = []
    for jail in list_jails():
        sandbox = Sandbox(jail)
        try:
            failed = [what for what, attempt, wanted in _PROOFS if sandbox.judge(attempt) is not wanted]
        except SandboxBroken as error:
            tried.append(str(error))
            continue
        if not failed:
            return sandbox
        tried.append(f"{jail.bubblewrap} does not hold: {', '.join(failed)}")
    raise NoSandbox("; ".join(tried))


class _Pipe:
    """Both ends, closed with the stack at the latest."""

    def __init__(self, stack: ExitStack) -> None:
        end, start = os.pipe()
        self.end: IO[bytes] = stack.enter_context(os.fdopen(end, "rb", buffering=0))
        self.start: IO[bytes] = stack.enter_context(os.fdopen(start, "wb", buffering=0))

    def close(self) -> None:
        self.end.close()
        self.start.close()


def _read_verdict(code: int, said: IO[bytes]) -> bool:
    if code == inside.PASSED:
        return True
    if code == inside.FAILED or code in _BY_SIGNAL:
        return False
    said.seek(0)
    words = said.read(2000).decode(errors="replace").strip().splitlines()
    raise SandboxBroken(f"a jail could not be made (status {code}): {words[-1] if words else 'it said nothing'}")


def _prove(body: str, answer: str) -> Attempt:
    program = "import os, signal\n" + dedent(body)
    return Attempt(program, "probe", "", f"assert probe() == {answer}")


_SEEN = "def probe(): return [path for path in ('/etc', '/home', '/proc/1', '/sys') if os.path.exists(path)]"
_WRITABLE = "def probe(): return [path for path in ('/', '/job', '/dev', '/py') if os.access(path, os.W_OK)]"
_SOCKET = """
    def probe():
        try:
            return bool(__import__("_socket").socket())
        except PermissionError:
            return False
"""
_FORKS = """
    def probe():
        made = 0
        try:
            while made < 40:
                if os.fork() == 0:
                    signal.pause()
                made += 1
        except BlockingIOError:
            pass
        return made < 20
"""
#: What a jail must do before anything is trusted to it: the failure's name, an attempt, its verdict.
_PROOFS = (
    ("a right program does not pass", _prove("def probe(): return 6 * 7", "42"), True),
    ("a wrong program passes", _prove("def probe(): return 6 * 9", "42"), False),
    ("files of the system are seen", _prove(_SEEN, "[]"), True),
    ("something can be written", _prove(_WRITABLE, "[]"), True),
    ("root is kept", _prove("def probe(): return 0 in (*os.getresuid(), *os.getresgid())", "False"), True),
    ("sockets can be made", _prove(_SOCKET, "False"), True),
    ("processes are not limited", _prove(_FORKS, "True"), True),
)
