"""Work that this process took from a queue and never began: its connection died between the taking and the beginning.

The engine gives such work to others only when its process is dead. Found by a test that stopped PostgreSQL again and
again: the claim was committed, the answer to it was lost.
"""

import logging
import threading

import sqlalchemy as sa
from dbos import _dbos as dbos_internals
from dbos._utils import INTERNAL_QUEUE_NAME, GlobalParams

#: Between two looks. What is claimed and not running at both was lost: a claim begins within milliseconds.
LOOK_SECONDS = 15.0
_log = logging.getLogger(__name__)


def find_stranded() -> frozenset[str]:
    """Ids of the workflows that are this process's by the journal, while nothing here runs them."""
    dbos = dbos_internals._get_dbos_instance()
    claimed = dbos._sys_db.get_pending_workflows(GlobalParams.executor_id, GlobalParams.app_version)
    # Read after the journal: what began in between is running by now.
    running = frozenset(dbos._active_workflows_set.activeList())
    return frozenset(one.workflow_id for one in claimed) - running


def enqueue_again(workflow_ids: frozenset[str]) -> None:
    """As the engine does for a dead process; each goes on from its last step."""
    dbos = dbos_internals._get_dbos_instance()
    for workflow_id in sorted(workflow_ids):
        dbos._sys_db.reenqueue_for_recovery(workflow_id, [GlobalParams.executor_id], INTERNAL_QUEUE_NAME)
        _log.warning("workflow %s was taken and never begun; it is enqueued again", workflow_id)


class Finder:
    """A thread that looks every so often."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._look_seconds = look_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stranded", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        before: frozenset[str] = frozenset()
        while not self._stop.wait(self._look_seconds):
            try:
                found = find_stranded()
                enqueue_again(found & before)
                before = found - before
            except sa.exc.SQLAlchemyError:
                _log.warning("the database does not answer; looking again in %s s", self._look_seconds)
