"""Asks the serving program to serve an adapter, or to stop; promotion itself is a pointer in our database."""

from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from app.domain.serving import ProbeReport, ServingStatus
from app.inference.wire import send

#: Seconds; hashing a large adapter and probing it on a busy CPU take their time.
LOAD_LIMIT_SECONDS = 300.0


class AdapterControl:
    """Needs the control key. Every method raises RetryLater while the server starts, and Refused with its reason."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers={"authorization": f"Bearer {key}"}, timeout=LOAD_LIMIT_SECONDS
        )

    async def load(self, name: str, path: Path) -> ProbeReport:
        """Returns what was measured on the server after the load; repeating the call is harmless."""
        answer = await send(self._http, "PUT", _route(name), {"path": str(path)})
        return ProbeReport.model_validate_json(answer.content)

    async def unload(self, name: str) -> None:
        """Returns when no request uses the adapter any more."""
        await send(self._http, "DELETE", _route(name))

    async def status(self) -> ServingStatus:
        answer = await send(self._http, "GET", "/control/status")
        return ServingStatus.model_validate_json(answer.content)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _route(name: str) -> str:
    return f"/control/adapters/{quote(name, safe='')}"
