"""Looking at workflows and steering them. Everything here blocks: call it from a thread."""

import time
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, WorkflowHandle, WorkflowStatus

from app.domain.errors import UserError
from app.store.database import reading
from app.store.executors import load_progress
from app.workflows import journal
from app.workflows.engine.process import APPLICATION_VERSION, database
from app.workflows.runs import FAILED, FINISHED, RUNNING, Queue, State, WorkflowRun


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
