"""A workflow as whoever watches sees it: what its log lines are about, and its span under the one that enqueued it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from app.domain.log_lines import about
from app.store.database import reading
from app.watching.tracing import CONSUMER, TRACEPARENT, current_trace_id, is_asked_for, span
from app.workflows.engine.process import database

#: Workflows named after the delivery that asked for them: `<prefix>:<host>:<GUID>`.
_OF_DELIVERIES = ("delivery", "curate", "recheck_label")


@asynccontextmanager
async def watched_workflow(name: str, workflow_id: str, arguments: Sequence[object]) -> AsyncIterator[None]:
    """Around the work of a workflow, each time it is begun or goes on."""
    installation = select_installation(name, arguments)
    parent = await asyncio.to_thread(_load_parent, workflow_id) if is_asked_for() else None
    facts: dict[str, Any] = {
        "workflow": workflow_id,
        "installation": installation,
        "delivery": select_delivery(workflow_id),
    }
    with span(f"workflow {name}", CONSUMER, parent=parent, **facts), about(**facts, trace=current_trace_id()):
        yield


def select_installation(name: str, arguments: Sequence[object]) -> int | None:
    """The first argument of every workflow but `delivery`, which knows none yet. Pure."""
    first = arguments[0] if arguments and name != "delivery" else None
    return first if isinstance(first, int) else None


def select_delivery(workflow_id: str) -> str | None:
    """The GUID that the workflow is named after. Pure."""
    prefix, _, guid = workflow_id.partition(":")
    return guid if prefix in _OF_DELIVERIES and guid else None


def _load_parent(workflow_id: str) -> str | None:
    # By a query of our own: the engine's call inside a workflow would be a step of its journal.
    schema = None if database().dialect.name == "sqlite" else "dbos"
    columns = (sa.column("workflow_uuid", sa.String), sa.column("attributes", sa.JSON))
    status = sa.table("workflow_status", *columns, schema=schema)
    query = sa.select(status.c.attributes).where(status.c.workflow_uuid == workflow_id)
    with reading(database()) as session:
        found = session.connection().execute(query).scalar_one_or_none()
    parent = (found or {}).get(TRACEPARENT)
    return parent if isinstance(parent, str) else None
