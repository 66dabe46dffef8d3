"""How fast one installation writes: what GitHub asks of everybody, kept before GitHub has to say it.

GitHub's page on rate limits asks for a second between two requests that write, and allows 80 a minute and 500 an hour
of those that create content. All writes are counted alike, for it does not say which of them it counts.
"""

import threading
from collections import deque

from app.domain.errors import RetryLater

_HOUR = 3_600.0


class Pace:
    """One installation's writes in this process. Safe to share between threads."""

    def __init__(self, *, pause_seconds: float, per_hour: int) -> None:
        self._pause_seconds = pause_seconds
        self._next = 0.0
        self._begun: deque[float] = deque(maxlen=per_hour)
        self._lock = threading.Lock()

    def take(self, now: float) -> float:
        """Seconds to wait from `now` until the next write may begin, which is then counted.

        Raises:
            RetryLater: when the hour's writes are used up, with the time until the oldest of them no longer counts.
        """
        with self._lock:
            start = max(now, self._next)
            if len(self._begun) == self._begun.maxlen and (wait := self._begun[0] + _HOUR - start) > 0:
                raise RetryLater(f"{len(self._begun)} writes within an hour, which is GitHub's limit", wait)
            self._begun.append(start)
            self._next = start + self._pause_seconds
        return start - now
