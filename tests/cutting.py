"""Workflows in processes that die at a given moment: before or after the effect of any of their steps.

A program that uses this declares its workflows within `cuttable_steps`, then answers turns with `answer_turns`: each
turn is a process of its own, forked from one that has loaded everything, for loading takes longer than what is tested.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from sqlmodel import Session

from app.domain.base import Record
from app.workflows import engine

#: Names of the steps that this process took, in order.
STEPS: list[str] = []
TurnT = TypeVar("TurnT", bound="Turn")


class Cut(Record):
    """SIGKILL `before` a step's effect, or `after` it and before the journal knows."""

    step: str
    when: str


class Turn(Record):
    cut: Cut | None = None


_ARMED: list[Cut] = []


def arm(cut: Cut | None) -> None:
    STEPS.clear()
    _ARMED[:] = [cut] if cut else []


def _strike(step: str, when: str) -> None:
    if Cut(step=step, when=when) in _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)


def _cut(declare: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """`function` declared as it would be, with the two moments at which its process may die."""
    name = function.__name__

    @wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        STEPS.append(name)
        _strike(name, "before")
        found = await function(*args, **kwargs)
        _strike(name, "after")
        return found

    @wraps(function)
    def run_in_transaction(session: Session, *args: Any, **kwargs: Any) -> Any:
        STEPS.append(name)
        _strike(name, "before")
        found = function(session, *args, **kwargs)
        _strike(name, "after")
        return found

    return declare(run if asyncio.iscoroutinefunction(function) else run_in_transaction)


@contextmanager
def cuttable_steps() -> Iterator[None]:
    """Steps and transactions of modules that are first imported in here may be cut."""
    step, transaction = engine.step, engine.transaction

    def cutting_step(**options: Any) -> Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]:
        return lambda function: _cut(step(**options), function)

    vars(engine)["step"] = cutting_step
    vars(engine)["transaction"] = lambda function: _cut(transaction, function)
    try:
        yield
    finally:
        vars(engine)["step"], vars(engine)["transaction"] = step, transaction


def answer_turns(kind: type[TurnT], take: Callable[[TurnT], dict[str, Any]]) -> None:
    """One line of output for each line of input: `died`, or what `take` returned as JSON."""
    for line in sys.stdin:
        sys.stdout.write(_fork(take, kind.model_validate_json(line)) + "\n")
        sys.stdout.flush()


def _fork(take: Callable[[TurnT], dict[str, Any]], turn: TurnT) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(take(turn)).encode())
        except BaseException:  # noqa: BLE001 - the parent shows it; a forked child must not go on as the parent
            os.write(writer, json.dumps({"error": traceback.format_exc()}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    return "died" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else said


class CutProgram:
    """The other side: a program that answers turns."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def take(self, turn: Turn) -> Any:
        """What it answers; None when it died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(turn.model_dump_json() + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        found = None if said == "died" else json.loads(said)
        assert found is None or "error" not in found, found["error"]
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
