"""From stored deliveries to the work they ask for: a few at a time, in the order they came, each exactly once.

A delivery that waits is its own entry in the queue: handling it is one transaction that enqueues its work and writes
its outcome. A workflow for each would cost ten transactions more and add nothing that could be resumed.
"""

import logging
import threading
import time

import sqlalchemy as sa
from sqlmodel import Session

from app.domain.log_lines import about
from app.store.acknowledging import wait_for_lull
from app.store.database import reading, writing
from app.store.deliveries import is_any_waiting, save_outcome, select_waiting
from app.store.tables import DeliveryRow
from app.watching.tracing import CONSUMER, TRACEPARENT, current_trace_id, span
from app.workflows import engine
from app.workflows.deliveries import FAILED_OUTCOME, act, enqueue_delivery

#: In one transaction, and for so long at most: on SQLite nobody else writes meanwhile, and GitHub waits for an answer.
_TOGETHER = 8
_SECONDS = 0.02
_AFTER_FAILURE_SECONDS = 1.0
#: Before each transaction, while deliveries come in without a pause: what waits is handled even then, if slowly.
_GIVING_WAY_SECONDS = 0.1
_log = logging.getLogger(__name__)


def dispatch(database: sa.Engine) -> int:
    """Handle the deliveries that wait the longest, and say how many were handled. Safe in several processes at once."""
    with reading(database) as session:
        if not is_any_waiting(session):
            return 0
    began, done = time.monotonic(), 0
    with writing(database) as session:
        for row in select_waiting(session, _TOGETHER):
            save_outcome(session, row.guid, _handle(session, row))
            done += 1
            if time.monotonic() - began > _SECONDS:
                break
    return done


def _handle(session: Session, row: DeliveryRow) -> str:
    parent = row.headers.get(TRACEPARENT)
    with (
        span("dispatch delivery", CONSUMER, parent=parent, delivery=row.guid),
        about(delivery=row.guid, installation=row.installation_id, trace=current_trace_id()),
    ):
        return _try(session, row)


def _try(session: Session, row: DeliveryRow) -> str:
    try:
        with session.begin_nested():
            return act(session, row)
    except sa.exc.SQLAlchemyError:
        raise  # the database's trouble and not this delivery's: all of them wait
    except Exception as error:  # noqa: BLE001 - the boundary of a job: one delivery we choke on must not stop the rest
        _log.error("could not handle delivery %s: %s", row.guid, type(error).__name__)
        enqueue_delivery(session, row.guid)  # fails once more where an operator sees it and can retry it
        return f"{FAILED_OUTCOME}: {type(error).__name__}"


class Dispatcher(threading.Thread):
    """Dispatches as soon as `nudge` tells of a delivery, and looks every so often for those of other processes."""

    def __init__(self, database: sa.Engine, polling_seconds: float) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._database = database
        self._polling_seconds = polling_seconds
        self._nudged = threading.Event()
        self._stopping = threading.Event()

    def nudge(self) -> None:
        self._nudged.set()

    def stop(self) -> None:
        self._stopping.set()
        self._nudged.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.wait(self._polling_seconds)
            self._nudged.clear()
            try:
                self._dispatch_all()
            except sa.exc.SQLAlchemyError as error:
                # Its type only: the text of a database error shows the values of the statement.
                _log.error("could not handle deliveries, they wait: %s", type(error).__name__)
                self._stopping.wait(_AFTER_FAILURE_SECONDS)

    def _dispatch_all(self) -> None:
        while not self._stopping.is_set():
            wait_for_lull(_GIVING_WAY_SECONDS)
            if not dispatch(self._database):
                return


#: empty, or the one of this process
_RUNNING: list[Dispatcher] = []


def start(polling_seconds: float) -> None:
    """For a process that works on the intake queue, once its engine runs."""
    _RUNNING.append(Dispatcher(engine.database(), polling_seconds))
    _RUNNING[0].start()


def nudge() -> None:
    """Something was stored just now. Nothing happens in a process that does not dispatch."""
    for dispatcher in _RUNNING:
        dispatcher.nudge()


def stop() -> None:
    """What waits goes on waiting, for the next boot or a peer."""
    while _RUNNING:
        _RUNNING.pop().stop()


def is_alive() -> bool:
    """False when this process should dispatch and does not."""
    return all(dispatcher.is_alive() for dispatcher in _RUNNING)
