"""What runs inside the jails, standard library only. The host passes this file's text to the jailed interpreter.

Two jails stand side by side. In one the candidate's program is loaded; in the other its tests run, which no line of
the program ever shares a process, a file or a process list with. Calls and answers cross as one line of text each, and
only plain values can be spelled in it (numbers, strings, lists, tuples, sets, dicts, None): an answer whose class says
that it equals everything arrives as what it is made of. So the verdict, the judge's exit status, is out of reach.
"""

import ast
import os
import random
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

PASSED, FAILED, NO_CANDIDATE = 77, 78, 79
INPUT = "/job/input"
READY = b"ready\n"
#: Characters of one call or answer.
_LINE = 1_000_000
_PLAIN = (str, bytes, int, float, complex, type(None))


def confine(uid: int) -> None:
    """Give up root where the jail was made by root, then set limits that only root could raise again.

    The number of processes is limited here and not outside, for here nobody else's processes count; and only after
    root is given up, for root has no such limit.
    """
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    for limit, value in (
        (resource.RLIMIT_AS, 512 << 20),
        (resource.RLIMIT_CPU, 6),
        (resource.RLIMIT_NPROC, 8),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def take_wires() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output as private streams; what the programs print or read goes nowhere."""
    wires = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    return wires


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a program returns
    """A Counter as a dict, a named tuple as a tuple: what equals the plain value is spelled as one."""
    for kind in _PLAIN:
        if isinstance(value, kind):
            return value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    for sequence in (list, tuple, set, frozenset):
        if isinstance(value, sequence):
            return (set if sequence is frozenset else sequence)(plain(item) for item in value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def tell(wire: BinaryIO, value: object) -> None:
    wire.write(ascii(value).encode() + b"\n")
    wire.flush()


def hear(wire: BinaryIO) -> Any:  # noqa: ANN401 - any plain value
    """The next line's value.

    Raises:
        EOFError: nothing more comes.
        ValueError: the line is too long or spells no plain value.
    """
    line = wire.readline(_LINE)
    if not line.endswith(b"\n"):
        raise EOFError if not line else ValueError("too long a line")
    return ast.literal_eval(line.decode("ascii"))


def serve_candidate(job: dict[str, str], calls: BinaryIO, answers: BinaryIO) -> None:
    """Load the program, then answer calls of its entry until there are no more."""
    answers.write(READY)
    answers.flush()
    names: dict[str, Any] = {"__name__": "candidate"}
    exec(compile(job["program"], "candidate", "exec"), names)  # noqa: S102 - what the jail is for
    while True:
        try:
            positional, named = hear(calls)
        except EOFError:
            return
        try:
            tell(answers, ("value", plain(names[job["entry"]](*positional, **named))))
        except Exception as error:  # noqa: BLE001 - the program's own, handed to whoever called it
            tell(answers, ("raised", type(error).__name__))


def judge(job: dict[str, str], answers: BinaryIO, calls: BinaryIO) -> int:
    """Run the tests against the candidate at the other end of the wires."""
    if answers.readline(len(READY)) != READY:
        return NO_CANDIDATE
    names: dict[str, Any] = {"__name__": "tests"}
    random.seed(0)  # some tests draw their inputs; base and adapter must meet the same
    try:
        exec(compile(job["setup"], "setup", "exec"), names)  # noqa: S102 - the problem's own text, jailed too
        names[job["entry"]] = _caller(answers, calls)
        exec(compile(job["tests"], "tests", "exec"), names)  # noqa: S102 - as above
    except BaseException:  # noqa: BLE001 - whatever went wrong, the tests did not pass
        return FAILED
    return PASSED


def _caller(answers: BinaryIO, calls: BinaryIO) -> Callable[..., Any]:
    def call(*positional: object, **named: object) -> Any:  # noqa: ANN401 - any plain value
        tell(calls, (positional, named))
        kind, value = hear(answers)
        if kind != "value":
            raise RuntimeError(value)
        return value

    return call


def main(role: str, uid: str) -> None:
    confine(int(uid))
    incoming, outgoing = take_wires()
    with open(INPUT, encoding="utf-8") as stream:  # noqa: PTH123 - pathlib takes longer to import than all the rest
        job = ast.literal_eval(stream.read())
    if role == "candidate":
        serve_candidate(job, incoming, outgoing)
    else:
        os._exit(judge(job, incoming, outgoing))


if __name__ == "__main__":
    main(*sys.argv[1:3])
