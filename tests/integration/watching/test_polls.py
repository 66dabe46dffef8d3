"""What this process notes of its own queues."""

import time
from pathlib import Path

from app.workflows import engine
from app.workflows.engine import polls
from app.workflows.engine.polls import seconds_since_polls
from app.workflows.runs import Queue
from tests.waiting import eventually


def test_polls_of_every_queue_are_noted(tmp_path: Path) -> None:
    engine.boot(f"sqlite:///{tmp_path / 'u.db'}", polling_seconds=0.05, scheduled=False)
    try:
        polls._last.update(dict.fromkeys(polls._last, time.monotonic() - 1_000))  # at boot it says now of them all
        eventually(lambda: all(0 <= seconds < 500 for seconds in seconds_since_polls().values()))
        assert set(seconds_since_polls()) == set(Queue)
        assert engine.is_alive()
    finally:
        engine.shutdown()
    assert not engine.is_alive()
