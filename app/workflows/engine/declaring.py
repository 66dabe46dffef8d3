"""Declaring workflows, steps and transactions."""

import asyncio
import functools
import itertools
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from dbos import DBOS
from dbos._datasource import DatasourceOptions
from pydantic import JsonValue
from sqlmodel import Session

from app.domain.errors import RetryLater, UserError
from app.store.database import writing
from app.store.executors import save_progress
from app.watching.metrics import STEP_RETRIES
from app.watching.tracing import span
from app.workflows import journal
from app.workflows.engine.process import SCHEDULES, WORKFLOWS, running
from app.workflows.engine.watched import watched_workflow

P = ParamSpec("P")
R = TypeVar("R")
Async = Callable[P, Coroutine[Any, Any, R]]
#: With waits that grow to a minute, half an hour: so long may GitHub or a model server be away before work fails.
_ATTEMPTS = 40


def workflow(
    name: str,
) -> Callable[[Async[P, R]], Async[P, R]]:
    """Declare a durable workflow. The name is stored with its work, so it never changes; the module may."""

    def declare(function: Async[P, R]) -> Async[P, R]:
        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            async with watched_workflow(name, current_workflow_id(), args):
                with journal.carrying_errors():
                    return cast(R, journal.portable(await function(*args, **kwargs)))

        declared = DBOS.workflow(name=name)(run)
        WORKFLOWS[name] = declared
        return declared

    return declare


def scheduled(name: str, cron: str) -> Callable[[Callable[[datetime], Coroutine[Any, Any, None]]], None]:
    """Declare a workflow that runs at every tick, once, on whichever process is first."""

    def declare(function: Callable[[datetime], Coroutine[Any, Any, None]]) -> None:
        async def tick(at: datetime, _context: object) -> None:
            async with watched_workflow(name, current_workflow_id(), ()):
                await function(at)

        WORKFLOWS[name] = DBOS.workflow(name=name)(tick)
        SCHEDULES[name] = cron

    return declare


def step(
    *, attempts: int = _ATTEMPTS, longest_wait_seconds: float = 7_200, timeout_seconds: float | None = None
) -> Callable[[Async[P, R]], Async[P, R]]:
    """Declare an effect on the outside world. It may happen more than once, never not at all.

    The function's name is stored with its results: another name strands what is in flight, another module does not.

    Only RetryLater is tried again: after at least the wait it names, growing, across restarts, until `attempts` are
    used up or a single wait would exceed `longest_wait_seconds`; then it is raised. Cancelling the workflow cancels
    the step where it awaits. Refused and UserError arrive the same whether the step runs or is replayed.
    """

    def declare(function: Async[P, R]) -> Async[P, R]:
        async def effect(*args: P.args, **kwargs: P.kwargs) -> R:
            with journal.carrying_errors(), span(f"step {function.__name__}"):
                try:
                    async with asyncio.timeout(timeout_seconds) as deadline:
                        return cast(R, journal.portable(await function(*args, **kwargs)))
                except TimeoutError:
                    if not deadline.expired():
                        raise  # a time limit of the function's own
                    raise RetryLater(f"{function.__qualname__} took longer than {timeout_seconds} s", 1) from None

        recorded = DBOS.step(name=function.__name__, preemptible=True)(effect)

        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if DBOS.workflow_id is None or DBOS.step_id is not None:
                return await function(*args, **kwargs)
            for attempt in itertools.count():
                try:
                    with journal.revealing_errors():
                        return await recorded(*args, **kwargs)
                except RetryLater as error:
                    STEP_RETRIES.labels(function.__name__).inc()
                    wait_seconds = journal.decide_wait(error.after_seconds, attempt)
                    if attempt + 1 >= attempts or wait_seconds > longest_wait_seconds:
                        raise
                await DBOS.sleep_async(wait_seconds)
            raise AssertionError("unreachable")

        return run

    return declare


def transaction(function: Callable[Concatenate[Session, P], R]) -> Async[P, R]:
    """Declare database work that commits together with its journal entry: exactly once, whatever is killed.

    The function gets a Session, must not commit it, and may run again from the start when the database asks for it.
    """

    def body(*args: P.args, **kwargs: P.kwargs) -> R:
        session = cast(Session, running().datasource.sql_session())
        with journal.carrying_errors(), span(f"transaction {function.__name__}"):
            return cast(R, journal.portable(function(session, *args, **kwargs)))

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        options: DatasourceOptions = {"name": function.__name__}
        run_once = functools.partial(running().datasource.run_tx_step, options, body, *args, **kwargs)
        with journal.revealing_errors():
            return await asyncio.to_thread(run_once)

    return run


async def sleep(seconds: float) -> None:
    """Wait durably: a restart waits only for the rest."""
    await DBOS.sleep_async(seconds)


def current_workflow_id() -> str:
    """The id of the workflow that is running here, in a step too."""
    workflow_id = DBOS.workflow_id
    if workflow_id is None:
        raise UserError("expected to run inside a workflow, but this was called outside of one")
    return workflow_id


async def progress(**figures: JsonValue) -> None:
    """Show how far the current workflow is; the figures replace those shown before."""
    workflow_id = current_workflow_id()

    def save() -> None:
        with writing(running().database) as session:
            save_progress(session, workflow_id, figures)

    await asyncio.to_thread(save)
