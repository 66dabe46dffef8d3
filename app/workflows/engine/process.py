"""The engine of this process: booting and stopping it, and handing it work. Everything here blocks."""

import os
import socket
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, SQLAlchemyDatasource
from dbos import _dbos as dbos_internals
from dbos import _serialization as dbos_serialization
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session

from app.domain.errors import UserError
from app.store.database import open_engine, open_journal_engine, writing
from app.store.migrate import migrate
from app.watching.tracing import TRACEPARENT, current_traceparent
from app.workflows.engine.polls import watch_polls
from app.workflows.engine.stranded import Finder
from app.workflows.locks import FileLock
from app.workflows.runs import Queue
from app.workflows.watchdog import Watchdog

#: Pinned: by default it is a hash of the source, and work of another hash is never picked up again. Raise the number
#: only when in-flight workflows of the old code cannot run on the new, and drain the old ones first.
APPLICATION_VERSION = "workflows-1"
_APPLICATION = "understudy"
#: What a queue thread may take to hand over the work that it had already taken.
_QUIET_SECONDS = 0.3


@dataclass
class _Running:
    """What exists between boot and shutdown."""

    database: sa.Engine
    client: DBOSClient
    datasource: SQLAlchemyDatasource
    lock: FileLock | None
    watchdog: Watchdog | None
    stranded: Finder = field(default_factory=Finder)


#: empty, or the one engine of this process: DBOS is one per process, and so is this
_RUNNING: list[_Running] = []
WORKFLOWS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {}
#: workflow name → cron with five fields, in UTC
SCHEDULES: dict[str, str] = {}
_serializer = DBOSPortableJSONSerializer()


def is_running() -> bool:
    return bool(_RUNNING)


def running() -> _Running:
    if not _RUNNING:
        raise UserError(
            "expected a running job engine, but none was booted; start the app with `.venv/bin/python -m app serve`"
        )
    return _RUNNING[0]


def enqueue_in_transaction(
    session: Session,
    workflow_name: str,
    workflow_id: str,
    *args: str | int,
    queue: Queue = Queue.INTAKE,
    partition: int | str | None = None,
    priority: int = 0,
    delay_seconds: float = 0,
) -> None:
    """Enqueue a workflow if, and only if, the session's transaction commits. A known id is left as it is.

    `partition` is required for Queue.GITHUB and refused for the others. A smaller `priority` goes first, whenever it
    was enqueued; what waits for `delay_seconds` holds nothing up.
    """
    options = _options(workflow_name, workflow_id, queue, partition, priority=priority, delay_seconds=delay_seconds)
    session.flush()  # a row of ours that is refused must say so here, not from within the engine's statement
    running().client.enqueue_in_transaction(session, options, *args)


def enqueue_for_later(
    session: Session,
    workflow_name: str,
    workflow_id: str,
    *args: str | int,
    queue: Queue,
    partition: int | str | None = None,
) -> None:
    """As `enqueue_in_transaction` where no engine runs: the first one that boots on this database has the work."""
    client = _make_client(session.get_bind().engine)
    try:
        session.flush()
        client.enqueue_in_transaction(session, _options(workflow_name, workflow_id, queue, partition), *args)
    finally:
        client.destroy()


def _options(
    workflow_name: str,
    workflow_id: str,
    queue: Queue,
    partition: int | str | None,
    *,
    priority: int = 0,
    delay_seconds: float = 0,
) -> Any:  # noqa: ANN401 - the engine's own type is not public
    if (partition is not None) != (queue is Queue.GITHUB):
        raise UserError(f"expected a partition for the queue {Queue.GITHUB} and for no other, got {queue}")
    options: dict[str, Any] = {
        "workflow_name": workflow_name,
        "workflow_id": workflow_id,
        "queue_name": queue.value,
        "app_version": APPLICATION_VERSION,
    }
    if partition is not None:
        options["queue_partition_key"] = str(partition)
    if priority:
        options["priority"] = priority
    if delay_seconds > 0:
        options["delay_seconds"] = delay_seconds
    if (parent := current_traceparent()) is not None:
        options["attributes"] = {TRACEPARENT: parent}
    return options


def start(
    workflow_name: str, workflow_id: str, *args: str | int, queue: Queue, partition: int | str | None = None
) -> None:
    """Enqueue a workflow now, in a transaction of its own. Blocking: call it from a thread."""
    with writing(running().database) as session:
        enqueue_in_transaction(session, workflow_name, workflow_id, *args, queue=queue, partition=partition)


def boot(
    database_url: str,
    *,
    prepare: Callable[[sa.Engine], None] | None = None,
    queues: tuple[Queue, ...] | None = None,
    polling_seconds: float = 0.2,
    scheduled: bool = True,
) -> sa.Engine:
    """Migrate the database, start running workflows in this process, and return the engine of our tables.

    Args:
        prepare: called with that engine before the first workflow runs; work that was cut off goes on at once.
        queues: the queues this process works on; None means all.
        polling_seconds: how long an enqueued workflow may lie before it is noticed.
        scheduled: whether this process sees to what the clock asks for; one of all processes must.

    Raises:
        UserError: when a process already works on this SQLite file, or the database cannot be used.
    """
    if _RUNNING:
        raise UserError("expected one job engine per process, but one runs already; shut it down first")
    database = open_engine(database_url)
    embedded = database.dialect.name == "sqlite"
    # Two processes with one id would run the same work at once; on SQLite the lock sees to it that there is one.
    lock = FileLock(Path(f"{database.url.database}.lock")) if embedded else None
    executor_id = "embedded" if embedded else f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    watchdog = None if embedded else Watchdog(database, executor_id, recover=_recover)
    try:
        migrate(database_url)
        if prepare is not None:
            prepare(database)
        if watchdog is not None:
            watchdog.beat()  # before the first work: whoever dies from here on is noticed
        client, datasource = _connect(database, executor_id)
        # What follows runs workflows, and they look for the engine here.
        _RUNNING.append(_Running(database, client, datasource, lock, watchdog))
        _launch(queues, polling_seconds)
        if scheduled:
            _keep_schedules()
    except BaseException:
        _RUNNING.clear()
        _close(database, lock)
        raise
    running().stranded.start()
    if watchdog is not None:
        watchdog.start()
    return database


def _connect(database: sa.Engine, executor_id: str) -> tuple[DBOSClient, SQLAlchemyDatasource]:
    _refuse_pickle()
    url = database.url.render_as_string(hide_password=False)
    config: DBOSConfig = {
        "name": _APPLICATION,
        "system_database_url": url,
        "system_database_engine": open_journal_engine(database),
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "serializer": _serializer,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 5.0,
    }
    DBOS(config=config)
    sessions = sessionmaker(class_=Session, expire_on_commit=False)
    datasource = SQLAlchemyDatasource.create(url, engine=database, serializer=_serializer, sessionmaker=sessions)
    return _make_client(database), datasource


def _make_client(database: sa.Engine) -> DBOSClient:
    return DBOSClient(system_database_engine=database, serializer=_serializer, application_name=_APPLICATION, lazy=True)


def _launch(queues: tuple[Queue, ...] | None, polling_seconds: float) -> None:
    if queues is not None:
        DBOS.listen_queues([queue.value for queue in queues])
    DBOS.launch()
    _register(polling_seconds)
    watch_polls(tuple(Queue) if queues is None else queues)


def _register(polling_seconds: float) -> None:
    DBOS.register_queue(Queue.INTAKE.value, worker_concurrency=4, polling_interval_sec=polling_seconds)
    DBOS.register_queue(Queue.GITHUB.value, partition_concurrency=1, polling_interval_sec=polling_seconds)
    DBOS.register_queue(Queue.GPU.value, worker_concurrency=1, polling_interval_sec=polling_seconds)


def _keep_schedules() -> None:
    for known in DBOS.list_schedules():
        if known["schedule_name"] not in SCHEDULES:
            DBOS.delete_schedule(known["schedule_name"])
    schedules: list[Any] = [
        {"schedule_name": name, "workflow_fn": WORKFLOWS[name], "schedule": cron, "queue_name": Queue.INTAKE.value}
        for name, cron in SCHEDULES.items()
    ]
    DBOS.apply_schedules(schedules)


def _refuse_pickle() -> None:
    # The serializer named in a row wins over the one configured, so without this a row can still run code.
    def refuse(_data: str) -> object:
        raise UserError("refused a pickled value in the job tables: Understudy only writes JSON, someone else wrote it")

    vars(dbos_serialization.DBOSDefaultSerializer)["deserialize"] = refuse


def _recover(executor_ids: list[str]) -> int:
    # No public call takes over a peer's work without also clearing its attempts and deadline. This one is idempotent:
    # it re-enqueues only what those executors still own.
    return len(DBOS._recover_pending_workflows(executor_ids))


def database() -> sa.Engine:
    """The engine of our tables, while the job engine runs."""
    return running().database


def shutdown() -> None:
    """Stop in order. Running workflows are left where they are and go on at the next boot, or at a peer."""
    if not _RUNNING:
        return
    running = _RUNNING.pop()
    running.stranded.stop()
    if running.watchdog is not None:
        running.watchdog.stop()
    _stop_taking_work()
    DBOS.destroy()
    if running.watchdog is not None:
        running.watchdog.leave()
    running.client.destroy()
    _close(running.database, running.lock)


def _stop_taking_work() -> None:
    # The engine stops its loop at once, while its queue threads may just be handing it another workflow: that one
    # would be lost to this process's view until the next boot. So the queues end first.
    for event in dbos_internals._get_dbos_instance().background_thread_stop_events:
        event.set()
    time.sleep(_QUIET_SECONDS)


def _close(database: sa.Engine, lock: FileLock | None) -> None:
    DBOS.destroy()
    dbos_internals._get_or_create_dbos_registry().datasources.clear()  # or a later rewind asks a closed database
    database.dispose()
    if lock is not None:
        lock.release()
