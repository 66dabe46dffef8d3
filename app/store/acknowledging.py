"""Acknowledgements go first: GitHub waits for one, and nobody waits so for what is done about it afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_LOOK_SECONDS = 0.002
_lock = Lock()
_under_way = 0


@contextmanager
def acknowledging() -> Iterator[None]:
    """Around a delivery that came whole, and is from GitHub, until it is answered."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _under_way  # noqa: PLW0603 - one of a process, as the interpreter's lock that they all wait for
    with _lock:
        _under_way += change


def wait_for_lull(seconds: float) -> None:
    """Until no delivery of this process waits for its answer, but no longer than so. Blocking."""
    deadline = time.monotonic() + seconds
    while _under_way and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
