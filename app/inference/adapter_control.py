"""Asks the serving program to serve an adapter, or to stop; promotion itself is a pointer in our database."""

from pathlib import Path
from urllib.parse import quote

from app.domain.errors import Refused
from app.domain.serving import EngineCard, PrefixCache, ProbeReport, ServingStatus
from app.inference.wire import FrontClient, send

#: Seconds; hashing a large adapter and probing it on a busy CPU take their time.
LOAD_LIMIT_SECONDS = 300.0
#: Seconds; a server that takes longer to say how it is counts as away.
STATUS_LIMIT_SECONDS = 5.0


class AdapterControl(FrontClient):
    """Needs the control key. Every method raises RetryLater while the server starts, and Refused with its reason."""

    def __init__(self, base_url: str, key: str, *, limit_seconds: float = LOAD_LIMIT_SECONDS) -> None:
        super().__init__(base_url, key, limit_seconds=limit_seconds)

    async def load(self, name: str, path: Path) -> ProbeReport:
        """Returns what was measured on the server after the load; repeating the call is harmless."""
        answer = await send(self._http, "PUT", _route(name), {"path": str(path)})
        return ProbeReport.model_validate_json(answer.content)

    async def unload(self, name: str) -> None:
        """Returns when no request uses the adapter any more."""
        await send(self._http, "DELETE", _route(name))

    async def ensure_unloaded(self, name: str) -> None:
        """As `unload`, and harmless for a name that is not served."""
        try:
            await self.unload(name)
        except Refused as error:
            if error.reason != "unknown_name":
                raise

    async def status(self) -> ServingStatus:
        answer = await send(self._http, "GET", "/control/status")
        return ServingStatus.model_validate_json(answer.content)

    async def cache(self) -> PrefixCache:
        """How much of the prompts so far was found in the cache of prefixes."""
        answer = await send(self._http, "GET", "/control/cache")
        return PrefixCache.model_validate_json(answer.content)

    async def card(self) -> EngineCard:
        """Which base it serves, by its fingerprints."""
        answer = await send(self._http, "GET", "/v1/engine")
        return EngineCard.model_validate_json(answer.content)


def _route(name: str) -> str:
    return f"/control/adapters/{quote(name, safe='')}"
