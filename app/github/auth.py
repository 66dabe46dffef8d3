"""Acting as the App and as one installation: a JWT and a token, both short-lived.

The token is kept here and not by githubkit, whose cache key has no host: two hosts could mix theirs. The same token
serves the API and git. Not protected against: a reader of this process's memory.
"""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
from githubkit import AppAuthStrategy, GitHub, UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy

from app.domain.errors import Refused
from app.domain.loopback import is_loopback
from app.github.app_token import SigningStrategy
from app.github.transport import Transport

#: A token is renewed this long before GitHub lets it die, so that none expires within a request, though the clocks
#: differ by two minutes.
RENEW_BEFORE = timedelta(seconds=180)


class Access(Protocol):
    """Two transports and a token: `app` signs as the App where there is one, `api` is sent the token."""

    @property
    def installation_id(self) -> int: ...

    @property
    def app(self) -> Transport: ...

    @property
    def api(self) -> Transport: ...

    @property
    def ca_file(self) -> Path | None: ...

    async def fetch_token(self) -> str: ...

    def forget_token(self) -> None: ...

    @property
    def granted(self) -> Mapping[str, str]: ...


class Installation:
    """Two transports: `app` signs as the App, `api` acts as the installation. `ca_file`: the authorities, in PEM, that
    the server's certificate is checked against; None: the machine's own."""

    def __init__(
        self, *, api_url: str, app_id: int, private_key_pem: str, installation_id: int, ca_file: Path | None = None
    ) -> None:
        self.installation_id = installation_id
        self.ca_file = ca_file
        self.app = Transport(connect(api_url, SigningStrategy(app_id, private_key_pem), ca_file=ca_file))
        self.api = Transport(connect(api_url, UnauthAuthStrategy(), ca_file=ca_file))
        self._token: str | None = None
        self._expires_at = datetime.min.replace(tzinfo=UTC)
        self._granted: dict[str, str] = {}

    @property
    def granted(self) -> Mapping[str, str]:
        """Permissions of the newest token; none before the first."""
        return self._granted

    async def fetch_token(self) -> str:
        """A token that lives for a while more. Fetched again only when it would not."""
        if self._token is None or datetime.now(UTC) > self._expires_at - RENEW_BEFORE:
            path = f"/app/installations/{self.installation_id}/access_tokens"
            answer = (await self.app.request("POST", path)).json()
            self._token = str(answer["token"])
            self._granted = dict(answer.get("permissions") or {})
            self._expires_at = datetime.fromisoformat(answer["expires_at"])
        return self._token

    def forget_token(self) -> None:
        """GitHub refused it: the next call fetches a new one."""
        self._token = None


def connect(
    api_url: str,
    auth: AppAuthStrategy | UnauthAuthStrategy,
    *hooks: Callable[[httpx.Request], Awaitable[None]],
    ca_file: Path | None = None,
) -> GitHub[AppAuthStrategy | UnauthAuthStrategy]:
    """githubkit as a transport only: no retries (it re-posts on 502), no shared cache, no foreign hosts. `hooks` see
    each request before it leaves and may refuse it.

    The HTTP cache is off: permission reads must be fresh, and everything else is read once per event. The environment's
    proxies are used, but for a GitHub on this very machine, which is a stand-in.
    """
    home = _origin(httpx.URL(api_url))

    async def stay_on_host(request: httpx.Request) -> None:
        there = _origin(request.url)
        if there != home:
            raise Refused("foreign_host", f"GitHub at {home} pointed to {there}; that is not followed")

    return GitHub(
        auth,
        base_url=api_url,
        user_agent="understudy",
        timeout=30.0,
        ssl_verify=ssl.create_default_context(cafile=ca_file),
        trust_env=not is_loopback(httpx.URL(api_url).host),
        async_event_hooks={"request": [stay_on_host, *hooks]},
        cache_strategy=MemCacheStrategy(),
        http_cache=False,
        auto_retry=False,
    )


def _origin(url: httpx.URL) -> str:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return f"{url.scheme}://{url.host}:{port}"
