"""Signs of life on PostgreSQL, where many processes share the work: a dead one's work goes to a living one."""

import logging
import os
import socket
import threading
from collections.abc import Callable

import sqlalchemy as sa

from app.store.database import writing
from app.store.executors import save_departure, save_end, save_heartbeat, select_dead

BEAT_SECONDS = 2.0
#: Silent for so long means dead. Beat, timeout and the next look together stay below 15 s.
TIMEOUT_SECONDS = 9.0
_log = logging.getLogger(__name__)


class Watchdog:
    """A thread that beats, and hands the work of the dead to `recover`, which must be idempotent.

    A process that only paused loses its work to a peer; when it wakes, the engine refuses its results and it beats
    again as if new.
    """

    def __init__(self, database: sa.Engine, executor_id: str, *, recover: Callable[[list[str]], int]) -> None:
        self._database = database
        self._executor_id = executor_id
        self._recover = recover
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def beat(self) -> None:
        """Say once that this process lives."""
        with writing(self._database) as session:
            save_heartbeat(session, self._executor_id, socket.gethostname(), os.getpid())

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop looking after others."""
        self._stop.set()
        self._thread.join(timeout=10)

    def leave(self) -> None:
        """Let the peers take over at once what is unfinished here. Call it when nothing runs here any more."""
        try:
            with writing(self._database) as session:
                save_departure(session, self._executor_id)
        except sa.exc.SQLAlchemyError:
            _log.warning("could not say goodbye to the database; peers notice after %s s", TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.beat()
                self._take_over()
            except sa.exc.SQLAlchemyError:
                _log.warning("the database does not answer; trying again in %s s", BEAT_SECONDS)
            self._stop.wait(BEAT_SECONDS)

    def _take_over(self) -> None:
        with writing(self._database) as session:
            dead = select_dead(session, TIMEOUT_SECONDS)
        for executor_id in dead:
            # First the work, then the mark: dying in between only means that it is done twice, which is harmless.
            recovered = self._recover([executor_id])
            with writing(self._database) as session:
                save_end(session, executor_id)
            if recovered:
                _log.warning("took over %d workflows of the dead executor %s", recovered, executor_id)
