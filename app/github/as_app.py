"""What GitHub tells the App itself: who it is, where it is installed, how its webhook is set and fares. Reads only."""

from datetime import datetime
from pathlib import Path
from typing import Any

from githubkit import UnauthAuthStrategy
from githubkit.exception import RequestError, RequestFailed

from app.github.app_token import SigningStrategy
from app.github.asking import PAGE_SIZE
from app.github.auth import connect
from app.github.clock import read_date
from app.github.transport import Transport


class AppView:
    """Signs as the App. Every method raises Refused and RetryLater as `Transport.request`."""

    def __init__(self, *, api_url: str, app_id: int, private_key_pem: str, ca_file: Path | None = None) -> None:
        self._transport = Transport(connect(api_url, SigningStrategy(app_id, private_key_pem), ca_file=ca_file))

    async def fetch_app(self) -> dict[str, Any]:
        return dict((await self._transport.request("GET", "/app")).json())

    async def fetch_installations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        answer = await self._transport.request("GET", "/app/installations", params={"per_page": PAGE_SIZE})
        found += answer.json()
        while (following := answer.links.get("next")) is not None:
            answer = await self._transport.request("GET", following["url"])
            found += answer.json()
        return found

    async def fetch_hook_address(self) -> str | None:
        """Where the App's webhook points; None where it has none."""
        answer = await self._transport.request("GET", "/app/hook/config")
        return str(answer.json().get("url") or "") or None

    async def fetch_newest_deliveries(self, count: int) -> list[dict[str, Any]]:
        """Attempts, newest first."""
        answer = await self._transport.request("GET", "/app/hook/deliveries", params={"per_page": count})
        return list(answer.json())


async def fetch_moment(api_url: str, *, ca_file: Path | None = None) -> datetime | None:
    """GitHub's clock, by the Date of whatever it answers to somebody unknown; None when it does not answer."""
    try:
        answer = (await connect(api_url, UnauthAuthStrategy(), ca_file=ca_file).arequest("GET", "/zen")).raw_response
    except RequestFailed as error:
        answer = error.response.raw_response
    except RequestError:
        return None
    return read_date(answer.headers)
