"""When each queue was last looked at by this process: a thread may live and do nothing."""

import threading
import time
from collections.abc import Sequence

from dbos import _dbos as dbos_internals

from app.workflows.runs import Queue

#: The engine's functions that run for as long as it does, each in a thread: its queues and its clock.
_LASTING = ("queue_thread", "dynamic_scheduler_loop")
_last: dict[str, float] = {}
_threads: list[threading.Thread] = []


def watch_polls(queues: Sequence[Queue]) -> None:
    """Note from now on every look at one of `queues`, those that this process works on."""
    # The engine tells nobody that it looked; this is the call that each look begins with, whatever it finds and
    # whether or not the database answers.
    journal = dbos_internals._get_dbos_instance()._sys_db
    _threads[:] = [
        thread
        for thread in dbos_internals._get_dbos_instance()._background_threads
        if getattr(vars(thread).get("_target"), "__name__", "") in _LASTING
    ]
    look = journal.dequeue_scopes
    _last.clear()
    _last.update({queue.value: time.monotonic() for queue in queues})

    def noted(queue: str) -> list[str | None]:
        if queue in _last:
            _last[queue] = time.monotonic()
        return look(queue)

    vars(journal)["dequeue_scopes"] = noted


def seconds_since_polls() -> dict[str, float]:
    """By queue of this process; empty where it works on none."""
    now = time.monotonic()
    return {queue: now - at for queue, at in _last.items()}


def count_lasting() -> int:
    """How many of the two threads that look after queues and clock live."""
    return sum(thread.is_alive() for thread in _threads)
