"""Looking at workflows and steering them. Everything here blocks: call it from a thread."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, WorkflowHandle, WorkflowStatus

from app.domain.errors import UserError
from app.store.database import reading, writing
from app.store.executors import delete_progress, load_progress
from app.workflows import journal
from app.workflows.engine.process import APPLICATION_VERSION, database
from app.workflows.runs import FAILED, FINISHED, RUNNING, Queue, State, WorkflowRun

_FORGOTTEN_AT_ONCE = 500
#: (table, key of the workflow) → where the job engine keeps what workflows were given and what they said
_TEXTS = {
    ("workflow_status", "workflow_uuid"): ("inputs", "output", "error"),
    ("workflow_input", "workflow_uuid"): ("inputs",),
    ("workflow_output", "workflow_uuid"): ("output", "error"),
    ("operation_outputs", "workflow_uuid"): ("output", "error"),
    ("workflow_events", "workflow_uuid"): ("value",),
    ("datasource_outputs", "workflow_id"): ("output", "error"),
}


def list_runs(states: tuple[State, ...], *, limit: int = 100, id_prefix: str | None = None) -> list[WorkflowRun]:
    """Newest first, with their progress."""
    found = DBOS.list_workflows(
        status=[state.value for state in states],
        limit=limit,
        sort_desc=True,
        workflow_id_prefix=id_prefix,
        load_input=False,
        load_output=bool(set(states) & set(FAILED)),  # the error is part of it
    )
    with reading(database()) as session:
        return [_describe(status, load_progress(session, status.workflow_id)) for status in found]


def count_states() -> dict[str, int]:
    """Workflows by state, over all that are still remembered."""
    # There is no public call that counts; listing 100,000 runs to count them would be no answer.
    status = sa.table("workflow_status", sa.column("status"), schema=_schema())
    query = sa.select(status.c.status, sa.func.count()).group_by(status.c.status)
    with reading(database()) as session:
        return {str(row[0]): int(row[1]) for row in session.connection().execute(query)}


def measure_queues() -> dict[tuple[str, str], tuple[int, float]]:
    """(queue, state) → how many workflows wait or run there, and the age of the oldest in seconds; 0 and 0 where none
    does."""
    counted = {(queue.value, state.value): (0, 0.0) for queue in Queue for state in RUNNING}
    status = _table("workflow_status", "queue_name", "status", "created_at")
    where = status.c.status.in_([state.value for state in RUNNING])
    grouped = (status.c.queue_name, status.c.status)
    query = sa.select(*grouped, sa.func.count(), sa.func.min(status.c.created_at)).where(where).group_by(*grouped)
    now = time.time()
    with reading(database()) as session:
        for queue, state, number, oldest in session.connection().execute(query):
            if (queue, state) in counted:
                counted[queue, state] = (int(number), max(0.0, now - int(oldest) / 1000))
    return counted


def list_ids(states: tuple[State, ...], *, prefix: str) -> list[str]:
    """Ids of workflows in one of the states that begin so, oldest first."""
    status = _table("workflow_status", "workflow_uuid", "status", "created_at")
    query = sa.select(status.c.workflow_uuid).where(
        status.c.status.in_([state.value for state in states]),
        status.c.workflow_uuid.startswith(prefix, autoescape=True),
    )
    with reading(database()) as session:
        rows = session.connection().execute(query.order_by(status.c.created_at, status.c.workflow_uuid))
        return [str(row[0]) for row in rows]


def _schema() -> str | None:
    return None if database().dialect.name == "sqlite" else "dbos"


def load_run(workflow_id: str) -> WorkflowRun | None:
    status = DBOS.get_workflow_status(workflow_id)
    if status is None:
        return None
    with reading(database()) as session:
        return _describe(status, load_progress(session, workflow_id))


def _describe(status: WorkflowStatus, figures: dict[str, Any] | None) -> WorkflowRun:
    return WorkflowRun(
        id=status.workflow_id,
        name=status.name,
        state=State(status.status),
        queue=status.queue_name,
        created_at_seconds=(status.created_at or 0) / 1000,
        error=None
        if status.error is None
        else f"{getattr(status.error, 'name', type(status.error).__name__)}: {status.error}",
        progress=figures,
        transient=journal.is_transient(status.error),
    )


def list_failed_of(installation_id: int, guids: sa.Select[str], *, limit: int = 20) -> list[WorkflowRun]:
    """Failed runs of one installation, the newest first: of its own queue, of its deliveries (`guids` selects their
    workflows' ids), and its learning rounds and erasures, which say in their ids whose they are."""
    status = _table("workflow_status", "workflow_uuid", "queue_partition_key", "status", "created_at")
    mine = sa.or_(
        status.c.queue_partition_key == str(installation_id),
        status.c.workflow_uuid.in_(guids),
        *(status.c.workflow_uuid.startswith(f"{kind}:{installation_id}:") for kind in ("learn", "erase")),
    )
    query = sa.select(status.c.workflow_uuid).where(status.c.status.in_([state.value for state in FAILED]), mine)
    with reading(database()) as session:
        ids = list(session.connection().execute(query.order_by(status.c.created_at.desc()).limit(limit)).scalars())
    return [run for workflow_id in ids if (run := load_run(workflow_id)) is not None]


def count_waiting_of(installation_id: int) -> dict[str, int]:
    """Workflows of one installation that wait or run, by name."""
    status = _table("workflow_status", "workflow_uuid", "queue_partition_key", "status", "name")
    mine = sa.or_(
        status.c.queue_partition_key == str(installation_id),
        status.c.workflow_uuid.startswith(f"learn:{installation_id}:"),
    )
    query = sa.select(status.c.name, sa.func.count()).where(
        status.c.status.in_([state.value for state in RUNNING]), mine
    )
    with reading(database()) as session:
        return {str(name): int(count) for name, count in session.connection().execute(query.group_by(status.c.name))}


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


def delete_finished(
    before: datetime, *, states: tuple[State, ...] = FINISHED, limit: int = _FORGOTTEN_AT_ONCE
) -> list[str]:
    """Forget workflows that ended before the moment, with everything recorded of them, and say which."""
    found = DBOS.list_workflows(
        status=[state.value for state in states],
        completed_before=before.isoformat(),
        limit=limit,
        load_input=False,
        load_output=False,
    )
    ids = [status.workflow_id for status in found]
    if ids:
        _forget(ids)
    return ids


def delete_orphans() -> int:
    """What transactions left of workflows that nobody remembers; returns how many rows."""
    outputs, status = _table("datasource_outputs", "workflow_id"), _table("workflow_status", "workflow_uuid")
    known = sa.select(status.c.workflow_uuid)
    with writing(database()) as session:
        return session.connection().execute(sa.delete(outputs).where(outputs.c.workflow_id.not_in(known))).rowcount


def forget_runs(
    *,
    prefixes: Sequence[str],
    holding: Sequence[str],
    partition: str | None = None,
    is_spared: Callable[[str, str | None], bool] = lambda _id, _partition: False,
) -> int:
    """Forget workflows that ended, with everything recorded of them, and say how many; for erasure.

    Those whose id begins with one of `prefixes`, whose arguments, results, errors or events hold one of the texts of
    `holding` (in any case), or that ran in the queue of `partition`; what still waits there is cancelled first. Not
    those of which `is_spared` says so, by id and partition.
    """
    mine = DBOS.workflow_id
    found: dict[str, State] = {}
    status = _table("workflow_status", "workflow_uuid", "status", "queue_partition_key")
    columns = (status.c.workflow_uuid, status.c.status, status.c.queue_partition_key)
    with reading(database()) as session:
        for query in _about(prefixes, holding, partition):
            about = status.c.workflow_uuid.in_(query)
            rows = session.connection().execute(sa.select(*columns).where(about))
            found |= {row[0]: State(row[1]) for row in rows if row[0] != mine and not is_spared(row[0], row[2])}
    waiting = [workflow_id for workflow_id, state in found.items() if state in RUNNING]
    if partition is not None and waiting:
        DBOS.cancel_workflows(waiting)
        waiting = []
    ended = sorted(found.keys() - waiting)
    for first in range(0, len(ended), _FORGOTTEN_AT_ONCE):
        _forget(ended[first : first + _FORGOTTEN_AT_ONCE])
    return len(ended)


def _about(prefixes: Sequence[str], holding: Sequence[str], partition: str | None) -> Iterator[sa.Select[tuple[str]]]:
    status = _table("workflow_status", "workflow_uuid", "queue_partition_key")
    for prefix in prefixes:
        yield sa.select(status.c.workflow_uuid).where(status.c.workflow_uuid.startswith(prefix, autoescape=True))
    if partition is not None:
        yield sa.select(status.c.workflow_uuid).where(status.c.queue_partition_key == partition)
    for (name, key), columns in _TEXTS.items():
        table = _table(name, key, *columns)
        held = [table.c[column].icontains(text, autoescape=True) for column in columns for text in holding]
        if held:
            yield sa.select(table.c[key]).where(sa.or_(*held))


def _forget(workflow_ids: list[str]) -> None:
    DBOS.delete_workflows(workflow_ids)
    outputs = _table("datasource_outputs", "workflow_id")  # the engine's own deletion leaves those of transactions
    with writing(database()) as session:
        session.connection().execute(sa.delete(outputs).where(outputs.c.workflow_id.in_(workflow_ids)))
        delete_progress(session, workflow_ids)


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, sa.String) for column in columns), schema=_schema())
