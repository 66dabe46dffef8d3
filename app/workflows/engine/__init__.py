"""The durable job engine: the only place that knows DBOS.

A workflow is an async function of ids (JSON values). What it does happens in

- `@step` functions: async, at least once, so they must be idempotent; RetryLater is waited out durably;
- `@transaction` functions: their writes to our database happen exactly once, with the journal entry in one commit.

A workflow calls them one at a time: their order is what a restart replays. Results are JSON and stay in the database
until the workflow is pruned, so pass ids and counts, never texts of a repository (they could not be erased).
"""

from app.workflows.engine.declaring import current_workflow_id, progress, scheduled, sleep, step, transaction, workflow
from app.workflows.engine.health import check_parts, is_alive
from app.workflows.engine.moving import JOURNAL_SCHEMA, JOURNAL_VERSIONS, hand_over, journal_version, prepare_journal
from app.workflows.engine.process import (
    boot,
    database,
    enqueue_for_later,
    enqueue_in_transaction,
    shutdown,
    start,
)
from app.workflows.engine.steering import (
    cancel,
    count_states,
    count_waiting_of,
    delete_finished,
    delete_orphans,
    forget_runs,
    list_failed_of,
    list_ids,
    list_runs,
    load_run,
    measure_queues,
    retry,
    wait,
)

__all__ = [
    "JOURNAL_SCHEMA",
    "JOURNAL_VERSIONS",
    "boot",
    "cancel",
    "check_parts",
    "count_states",
    "count_waiting_of",
    "current_workflow_id",
    "database",
    "delete_finished",
    "delete_orphans",
    "enqueue_for_later",
    "enqueue_in_transaction",
    "forget_runs",
    "hand_over",
    "is_alive",
    "journal_version",
    "list_failed_of",
    "list_ids",
    "list_runs",
    "load_run",
    "measure_queues",
    "prepare_journal",
    "progress",
    "retry",
    "scheduled",
    "shutdown",
    "sleep",
    "start",
    "step",
    "transaction",
    "wait",
    "workflow",
]
