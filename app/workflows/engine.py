"""The durable job engine: the only file that knows DBOS.

A workflow is an async function of ids (JSON values). What it does happens in

- `@step` functions: async, at least once, so they must be idempotent; RetryLater is waited out durably;
- `@transaction` functions: their writes to our database happen exactly once, with the journal entry in one commit.

A workflow calls them one at a time: their order is what a restart replays. Results are JSON and stay in the database
until the workflow is pruned, so pass ids and counts, never texts of a repository (they could not be erased).
"""

import asyncio
import functools
import itertools
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, SQLAlchemyDatasource, WorkflowHandle
from dbos import WorkflowStatus as EngineStatus
from dbos import _dbos as dbos_internals
from dbos import _serialization as dbos_serialization
from dbos._datasource import DatasourceOptions
from pydantic import JsonValue
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session

from app.domain.errors import RetryLater, UserError
from app.store.database import open_engine, reading, writing
from app.store.executors import load_progress, save_progress
from app.workflows import journal
from app.workflows.locks import FileLock
from app.workflows.runs import FINISHED, RUNNING, Queue, State, WorkflowRun
from app.workflows.watchdog import Watchdog

P = ParamSpec("P")
R = TypeVar("R")
Async = Callable[P, Coroutine[Any, Any, R]]

#: Pinned: by default it is a hash of the source, and work of another hash is never picked up again. Raise the number
#: only when in-flight workflows of the old code cannot run on the new, and drain the old ones first.
APPLICATION_VERSION = "workflows-1"
_APPLICATION = "understudy"


@dataclass
class _Running:
    """What exists between boot and shutdown."""

    database: sa.Engine
    client: DBOSClient
    datasource: SQLAlchemyDatasource
    lock: FileLock | None
    watchdog: Watchdog | None


#: empty, or the one engine of this process: DBOS is one per process, and so is this
_running: list[_Running] = []
_workflows: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {}
#: workflow name → cron with five fields, in UTC
_schedules: dict[str, str] = {}
_serializer = DBOSPortableJSONSerializer()


def _engine() -> _Running:
    if not _running:
        raise UserError("expected a running job engine, but none was booted; start the app with `python -m app serve`")
    return _running[0]


# --- declaring -------------------------------------------------------------------------------------------------------


def workflow(
    name: str,
) -> Callable[[Async[P, R]], Async[P, R]]:
    """Declare a durable workflow. The name is stored with its work, so it never changes; the module may."""

    def declare(function: Async[P, R]) -> Async[P, R]:
        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with journal.carrying_errors():
                return cast(R, journal.portable(await function(*args, **kwargs)))

        declared = DBOS.workflow(name=name)(run)
        _workflows[name] = declared
        return declared

    return declare


def scheduled(name: str, cron: str) -> Callable[[Callable[[datetime], Coroutine[Any, Any, None]]], None]:
    """Declare a workflow that runs at every tick, once, on whichever process is first."""

    def declare(function: Callable[[datetime], Coroutine[Any, Any, None]]) -> None:
        async def tick(at: datetime, _context: object) -> None:
            await function(at)

        _workflows[name] = DBOS.workflow(name=name)(tick)
        _schedules[name] = cron

    return declare


def step(
    *, attempts: int = 10, longest_wait_seconds: float = 7_200, timeout_seconds: float | None = None
) -> Callable[[Async[P, R]], Async[P, R]]:
    """Declare an effect on the outside world. It may happen more than once, never not at all.

    Only RetryLater is tried again: after at least the wait it names, growing, across restarts, until `attempts` are
    used up or a single wait would exceed `longest_wait_seconds`; then it is raised. Cancelling the workflow cancels
    the step where it awaits. Refused and UserError arrive the same whether the step runs or is replayed.
    """

    def declare(function: Async[P, R]) -> Async[P, R]:
        async def effect(*args: P.args, **kwargs: P.kwargs) -> R:
            with journal.carrying_errors():
                try:
                    async with asyncio.timeout(timeout_seconds):
                        return cast(R, journal.portable(await function(*args, **kwargs)))
                except TimeoutError:
                    raise RetryLater(f"{function.__qualname__} took longer than {timeout_seconds} s", 1) from None

        recorded = DBOS.step(name=f"{function.__module__}.{function.__qualname__}", preemptible=True)(effect)

        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if DBOS.workflow_id is None or DBOS.step_id is not None:
                return await function(*args, **kwargs)
            for attempt in itertools.count():
                try:
                    with journal.revealing_errors():
                        return await recorded(*args, **kwargs)
                except RetryLater as error:
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
        session = cast(Session, _engine().datasource.sql_session())
        with journal.carrying_errors():
            return cast(R, journal.portable(function(session, *args, **kwargs)))

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        options: DatasourceOptions = {"name": f"{function.__module__}.{function.__qualname__}"}
        run_once = functools.partial(_engine().datasource.run_tx_step, options, body, *args, **kwargs)
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
        with writing(_engine().database) as session:
            save_progress(session, workflow_id, figures)

    await asyncio.to_thread(save)


# --- starting --------------------------------------------------------------------------------------------------------


def enqueue_in_transaction(
    session: Session,
    workflow_name: str,
    workflow_id: str,
    *args: str | int,
    queue: Queue = Queue.INTAKE,
    partition: int | str | None = None,
) -> None:
    """Enqueue a workflow if, and only if, the session's transaction commits. A known id is left as it is.

    `partition` is required for Queue.GITHUB and refused for the others.
    """
    if (partition is not None) != (queue is Queue.GITHUB):
        raise UserError(f"expected a partition for the queue {Queue.GITHUB} and for no other, got {queue}")
    session.flush()  # a row of ours that is refused must say so here, not from within the engine's statement
    options: Any = {
        "workflow_name": workflow_name,
        "workflow_id": workflow_id,
        "queue_name": queue.value,
        "app_version": APPLICATION_VERSION,
    }
    if partition is not None:
        options["queue_partition_key"] = str(partition)
    _engine().client.enqueue_in_transaction(session, options, *args)


def start(
    workflow_name: str, workflow_id: str, *args: str | int, queue: Queue, partition: int | str | None = None
) -> None:
    """Enqueue a workflow now, in a transaction of its own. Blocking: call it from a thread."""
    with writing(_engine().database) as session:
        enqueue_in_transaction(session, workflow_name, workflow_id, *args, queue=queue, partition=partition)


def is_declared(workflow_name: str) -> bool:
    return workflow_name in _workflows


# --- looking and steering (blocking: call from a thread) --------------------------------------------------------------


def list_runs(states: tuple[State, ...], *, limit: int = 100, id_prefix: str | None = None) -> list[WorkflowRun]:
    """Newest first, with their progress."""
    found = DBOS.list_workflows(
        status=[state.value for state in states],
        limit=limit,
        sort_desc=True,
        workflow_id_prefix=id_prefix,
        load_input=False,
        load_output=False,
    )
    with reading(_engine().database) as session:
        return [_describe(status, load_progress(session, status.workflow_id)) for status in found]


def load_run(workflow_id: str) -> WorkflowRun | None:
    status = DBOS.get_workflow_status(workflow_id)
    if status is None:
        return None
    with reading(_engine().database) as session:
        return _describe(status, load_progress(session, workflow_id))


def _describe(status: EngineStatus, figures: dict[str, Any] | None) -> WorkflowRun:
    return WorkflowRun(
        id=status.workflow_id,
        name=status.name,
        state=State(status.status),
        queue=status.queue_name,
        created_at_seconds=(status.created_at or 0) / 1000,
        error=None if status.error is None else f"{type(status.error).__name__}: {status.error}",
        progress=figures,
    )


def cancel(workflow_id: str) -> None:
    """Stop a workflow: a step that is waiting gets CancelledError, one that is not started never starts."""
    DBOS.cancel_workflow(workflow_id)


def retry(workflow_id: str) -> None:
    """Run a failed or cancelled workflow again from its start, under its own id; its old results are forgotten."""
    run = load_run(workflow_id)
    if run is None or run.state in RUNNING:
        found = "none" if run is None else f"one that is {run.state}"
        raise UserError(f"expected a finished workflow {workflow_id}, got {found}; list them with /operator/status")
    status = DBOS.get_workflow_status(workflow_id)
    DBOS.rewind_workflow(
        workflow_id,
        application_version=APPLICATION_VERSION,
        queue_name=run.queue if run.queue in set(Queue) else Queue.INTAKE.value,
        queue_partition_key=None if status is None else status.queue_partition_key,
    )


def wait(workflow_id: str, timeout_seconds: float = 60) -> object:
    """The result of a workflow once it has one. Raises what the workflow raised, or TimeoutError."""
    deadline = time.monotonic() + timeout_seconds
    while (run := load_run(workflow_id)) is None or run.state in RUNNING:
        if time.monotonic() > deadline:
            raise TimeoutError(f"workflow {workflow_id} is {'unknown' if run is None else run.state} still")
        time.sleep(0.05)
    handle: WorkflowHandle[object] = DBOS.retrieve_workflow(workflow_id)
    with journal.revealing_errors():
        return handle.get_result()


def delete_finished(before: datetime, *, limit: int = 1_000) -> list[str]:
    """Forget workflows that ended well before the moment, and say which; failed ones stay for a person to decide."""
    found = DBOS.list_workflows(
        status=[state.value for state in FINISHED],
        completed_before=before.isoformat(),
        limit=limit,
        load_input=False,
        load_output=False,
    )
    ids = [status.workflow_id for status in found]
    if ids:
        DBOS.delete_workflows(ids)
    return ids


# --- life cycle (blocking: call from a thread) ------------------------------------------------------------------------


def boot(database_url: str, *, queues: tuple[Queue, ...] | None = None, polling_seconds: float = 0.2) -> sa.Engine:
    """Start running workflows in this process and return the engine of our tables, which must be migrated already.

    Args:
        queues: the queues this process works on; None means all.
        polling_seconds: how long an enqueued workflow may lie before it is noticed.

    Raises:
        UserError: when a process already works on this SQLite file, or the database cannot be used.
    """
    if _running:
        raise UserError("expected one job engine per process, but one runs already; shut it down first")
    database = open_engine(database_url)
    embedded = database.dialect.name == "sqlite"
    # Two processes with one id would run the same work at once; on SQLite the lock sees to it that there is one.
    lock = FileLock(Path(f"{database.url.database}.lock")) if embedded else None
    executor_id = "embedded" if embedded else f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    watchdog = None if embedded else Watchdog(database, executor_id, recover=_recover)
    try:
        if watchdog is not None:
            watchdog.beat()  # before the first work: whoever dies from here on is noticed
        datasource = _launch(database, executor_id, queues)
        _register(polling_seconds)
        client = DBOSClient(system_database_engine=database, serializer=_serializer, application_name=_APPLICATION)
    except BaseException:
        _close(database, lock)
        raise
    _running.append(_Running(database, client, datasource, lock, watchdog))
    if watchdog is not None:
        watchdog.start()
    return database


def _launch(database: sa.Engine, executor_id: str, queues: tuple[Queue, ...] | None) -> SQLAlchemyDatasource:
    _refuse_pickle()
    logging.getLogger("dbos").addFilter(_is_worth_saying)
    url = database.url.render_as_string(hide_password=False)
    config: DBOSConfig = {
        "name": _APPLICATION,
        "system_database_url": url,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "serializer": _serializer,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 5.0,
    }
    DBOS(config=config)
    sessions = sessionmaker(class_=Session, expire_on_commit=False)
    datasource = SQLAlchemyDatasource.create(url, engine=database, serializer=_serializer, sessionmaker=sessions)
    if queues is not None:
        DBOS.listen_queues([queue.value for queue in queues])
    DBOS.launch()
    return datasource


def _register(polling_seconds: float) -> None:
    DBOS.register_queue(Queue.INTAKE.value, worker_concurrency=8, polling_interval_sec=polling_seconds)
    DBOS.register_queue(Queue.GITHUB.value, partition_concurrency=1, polling_interval_sec=polling_seconds)
    DBOS.register_queue(Queue.GPU.value, global_concurrency=1, polling_interval_sec=polling_seconds)
    for known in DBOS.list_schedules():
        if known["schedule_name"] not in _schedules:
            DBOS.delete_schedule(known["schedule_name"])
    schedules: list[Any] = [
        {"schedule_name": name, "workflow_fn": _workflows[name], "schedule": cron, "queue_name": Queue.INTAKE.value}
        for name, cron in _schedules.items()
    ]
    DBOS.apply_schedules(schedules)


def _refuse_pickle() -> None:
    # The serializer named in a row wins over the one configured, so without this a row can still run code.
    def refuse(_data: str) -> object:
        raise UserError("refused a pickled value in the job tables: Understudy only writes JSON, someone else wrote it")

    vars(dbos_serialization.DBOSDefaultSerializer)["deserialize"] = refuse


def _is_worth_saying(record: logging.LogRecord) -> bool:
    # We promise SQLite for one process on one host, and test that; the engine advises against it at every start.
    return not record.getMessage().startswith("Using SQLite as a system database")


def _recover(executor_ids: list[str]) -> int:
    # No public call takes over a peer's work without also clearing its attempts and deadline. This one is idempotent:
    # it re-enqueues only what those executors still own.
    return len(DBOS._recover_pending_workflows(executor_ids))


def is_healthy() -> bool:
    """Whether this process can enqueue: it is booted and the database takes writes. Blocking."""
    if not _running:
        return False
    try:
        with writing(_engine().database) as session:
            session.connection().execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        return False
    return True


def shutdown() -> None:
    """Stop in order. Running workflows are left where they are and go on at the next boot, or at a peer."""
    if not _running:
        return
    running = _running.pop()
    if running.watchdog is not None:
        running.watchdog.stop()
    DBOS.destroy()
    if running.watchdog is not None:
        running.watchdog.leave()
    running.client.destroy()
    _close(running.database, running.lock)


def _close(database: sa.Engine, lock: FileLock | None) -> None:
    DBOS.destroy()
    dbos_internals._get_or_create_dbos_registry().datasources.clear()  # or a later rewind asks a closed database
    database.dispose()
    if lock is not None:
        lock.release()
