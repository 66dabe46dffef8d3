"""Who may read figures that name installations and adapters. Pure."""

import hmac
from collections.abc import Mapping

from app.domain.loopback import is_loopback

#: The variable with the bearer token; the service and the serving program read it for themselves.
METRICS_TOKEN = "UNDERSTUDY_METRICS_TOKEN"  # noqa: S105 - a name
#: Written by a proxy: then whoever asks is not on this machine, whatever the connection's other end is.
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


def may_watch(peer: str | None, headers: Mapping[str, str], token: str | None) -> bool:
    """With a token whoever sends it, without one whoever calls this machine from this machine and not through a proxy.

    A scraper beside the service needs no set-up; one on another machine needs a secret, as an operator does. The host
    that was asked for must be this machine, too: a proxy that adds no header passes on a public name, and so does a
    browser here that a name of somebody else's was pointed at (DNS rebinding).
    """
    if token:
        given = headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    through_proxy = any(name in headers for name in _FORWARDED)
    asked = _host_of(headers.get("host", ""))
    return peer is not None and is_loopback(peer) and is_loopback(asked) and not through_proxy


def _host_of(header: str) -> str:
    """The host of `HOST`, `HOST:PORT` or `[ADDRESS]:PORT` (RFC 9110, 7.2)."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()
