"""What this process notes of its own queues."""

from pathlib import Path

from app.workflows import engine
from app.workflows.engine.polls import seconds_since_polls
from app.workflows.runs import Queue
from tests.waiting import eventually


def test_polls_of_every_queue_are_noted(tmp_path: Path) -> None:
    engine.boot(f"sqlite:///{tmp_path / 'u.db'}", polling_seconds=0.05, scheduled=False)
    try:
        eventually(lambda: all(0 <= seconds < 1 for seconds in seconds_since_polls().values()))
        assert set(seconds_since_polls()) == set(Queue)
        assert engine.is_alive()
    finally:
        engine.shutdown()
    assert not engine.is_alive()
