"""How much may lie in memory of bodies whose signature nobody has checked yet, over all connections together."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import Refused


class UnverifiedBytes:
    """A budget that all requests of one event loop share."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit = limit_bytes
        self.held = 0

    @contextmanager
    def share(self) -> "Iterator[Share]":
        """What one request takes; given back at the end, however it ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.taken


class Share:
    def __init__(self, budget: UnverifiedBytes) -> None:
        self._budget = budget
        self.taken = 0

    def take(self, count: int) -> None:
        """Raises:
        Refused: `no_room`, and nothing is taken.
        """
        if self._budget.held + count > self._budget.limit:
            raise Refused("no_room", "too many bodies are on their way at once; redeliver this one")
        self._budget.held += count
        self.taken += count
