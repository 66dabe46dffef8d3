"""One request of an installation to GitHub: its token, its pause between writes, its pages."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from app.domain.errors import Refused, RetryLater
from app.github.auth import Access, Installation
from app.github.clock import measure_lead
from app.github.git import GitAccess
from app.github.pacing import Pace
from app.github.transport import LIMIT_PAUSE
from app.watching.metrics import PACED_SECONDS, WRITES_PACED, WRITES_SPENT, show_left

PAGE_SIZE = 100


class Asking:
    """Safe to share between tasks and threads. Writes keep the pace of `Pace`."""

    def __init__(
        self,
        *,
        api_url: str,
        git_url: str,
        app_id: int,
        private_key_pem: str,
        installation_id: int,
        ca_file: Path | None = None,
        write_pause_seconds: float = 1.0,
        writes_per_hour: int = 500,
    ) -> None:
        access = Installation(
            api_url=api_url,
            app_id=app_id,
            private_key_pem=private_key_pem,
            installation_id=installation_id,
            ca_file=ca_file,
        )
        pace = Pace(pause_seconds=write_pause_seconds, per_hour=writes_per_hour)
        self._begin(git_url=git_url, app_id=app_id, access=access, pace=pace)

    def _begin(self, *, git_url: str, app_id: int, access: Access, pace: Pace) -> None:
        self.host = httpx.URL(git_url).host
        self._git_url = git_url.rstrip("/")
        self._app_id = app_id
        self._pace = pace
        self._installed_at: datetime | None = None
        self._lead = timedelta(0)
        self._installation = access

    async def fetch_git_access(self) -> GitAccess:
        return GitAccess(await self._installation.fetch_token(), self._installation.ca_file)

    async def _read(self, path: str, params: dict[str, str | int] | None = None) -> dict[str, Any]:
        return dict((await self._send("GET", path, params=params)).json())

    async def _pages(self, path: str, params: dict[str, str | int] | None = None) -> AsyncIterator[dict[str, Any]]:
        answer = await self._send("GET", path, params={"per_page": PAGE_SIZE, **(params or {})})
        while True:
            for item in answer.json():
                yield item
            following = answer.links.get("next")
            if following is None:
                return
            answer = await self._send("GET", following["url"])

    async def _write(self, method: str, path: str, payload: object = None) -> dict[str, Any]:
        await asyncio.sleep(self._take_turn())
        answer = await self._send(method, path, json=payload)
        return dict(answer.json()) if answer.content else {}

    def _take_turn(self) -> float:
        """Seconds to wait before a write.

        Raises:
            RetryLater: when the hour's writes are used up.
        """
        try:
            seconds = self._pace.take(time.monotonic())
        except RetryLater:
            WRITES_SPENT.inc()
            raise
        if seconds > 0:
            WRITES_PACED.inc()
            PACED_SECONDS.inc(seconds)
        return seconds

    async def _graphql(self, name: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        payload = {"operationName": name, "query": query, "variables": variables}
        sent = await self._send("POST", self._installation.api.graphql_url, json=payload)
        answer = sent.json()
        errors = answer.get("errors") or []
        if any(error.get("type") in ("RATE_LIMIT", "RATE_LIMITED") for error in errors):
            raise RetryLater(f"GitHub's rate limit: {name}", _seconds_until_reset(sent.headers))
        if errors:
            missing = all(error.get("type") == "NOT_FOUND" for error in errors)
            raise Refused("not_found" if missing else "graphql", f"GitHub refused {name}: {errors[0].get('message')}")
        return dict(answer["data"])

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        json: object = None,
        etag: str | None = None,
    ) -> httpx.Response:
        """With the installation's token; a refused one (401 has no effect) is fetched anew, once."""
        request = functools.partial(self._installation.api.request, method, path, params=params, json=json, etag=etag)
        try:
            return self._note(await request(token=await self._installation.fetch_token()))
        except Refused as error:
            if error.reason != "bad_credentials":
                raise
        self._installation.forget_token()
        return self._note(await request(token=await self._installation.fetch_token()))

    def as_told(self, moment: datetime) -> datetime:
        """A moment of our clock on GitHub's, by its newest answer; before the first one as it is. It may be a second
        and the answer's way too early."""
        return moment + self._lead

    def _note(self, answer: httpx.Response) -> httpx.Response:
        """What an answer says beside its content: the time, and what is left of the hour's requests."""
        said = answer.headers
        lead = measure_lead(said, datetime.now(UTC))
        self._lead = self._lead if lead is None else lead
        show_left(
            self._installation.installation_id,
            said.get("x-ratelimit-resource", ""),
            said.get("x-ratelimit-remaining", ""),
        )
        return answer


def _seconds_until_reset(headers: httpx.Headers) -> float:
    """GraphQL says only in its headers when the next hour's budget begins."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not reset.isdigit():
        return LIMIT_PAUSE
    return max(1.0, int(reset) - time.time())
