"""Rate limits of an installation, as GitHub counts them: so many requests an hour, so many contents a minute."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.rehearsal.standin.answers import Refusal

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


class LimitReachedError(Refusal):
    """The hour's budget is gone; the headers say when the next one begins."""


@dataclass
class Window:
    """One hourly budget. It opens at its first request and starts afresh when it ends."""

    limit: int
    used: int = 0
    resets_at: datetime | None = None

    def roll(self, now: datetime) -> datetime:
        if self.resets_at is None or now >= self.resets_at:
            self.used, self.resets_at = 0, now + _HOUR
        return self.resets_at

    def json(self, now: datetime) -> dict[str, int]:
        reset = int(self.roll(now).timestamp())
        return {"limit": self.limit, "used": self.used, "remaining": max(0, self.limit - self.used), "reset": reset}


@dataclass
class Limits:
    """`core` and `graphql` per hour; contents (reviews, check runs) per minute and hour, None switches that off."""

    core: Window = field(default_factory=lambda: Window(5_000))
    graphql: Window = field(default_factory=lambda: Window(5_000))
    contents_per_minute: int | None = 80
    contents_per_hour: int | None = 500
    _contents: deque[datetime] = field(default_factory=deque)

    def spend(self, resource: str, now: datetime, installation_id: int) -> None:
        """Count one request.

        Raises:
            LimitReachedError: 403 when the hour's budget is gone.
        """
        window = self.window(resource)
        window.roll(now)
        if window.used >= window.limit:
            raise LimitReachedError(403, f"API rate limit exceeded for installation ID {installation_id}.")
        window.used += 1

    def give_back(self, resource: str) -> None:
        """A 304 costs nothing."""
        self.window(resource).used -= 1

    def create_content(self, now: datetime) -> None:
        """Count one request that creates content.

        Raises:
            Refusal: 403 of the secondary limit.
        """
        while self._contents and now - self._contents[0] >= _HOUR:
            self._contents.popleft()
        recent = sum(now - moment < _MINUTE for moment in self._contents)
        per_minute, per_hour = self.contents_per_minute, self.contents_per_hour
        if (per_minute and recent >= per_minute) or (per_hour and len(self._contents) >= per_hour):
            raise secondary_limit()
        self._contents.append(now)

    def window(self, resource: str) -> Window:
        return self.graphql if resource == "graphql" else self.core

    def headers(self, resource: str, now: datetime) -> dict[str, str]:
        shown = self.window(resource).json(now)
        return {f"x-ratelimit-{name}": str(value) for name, value in shown.items()} | {"x-ratelimit-resource": resource}


def secondary_limit(retry_after_seconds: int | None = None) -> Refusal:
    headers = {} if retry_after_seconds is None else {"retry-after": str(retry_after_seconds)}
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return Refusal(403, message, headers=headers)
