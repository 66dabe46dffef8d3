"""Who may read figures that name installations and adapters. Pure."""

import hmac
import ipaddress
from collections.abc import Mapping

#: The variable with the bearer token; the service and the serving program read it for themselves.
METRICS_TOKEN = "UNDERSTUDY_METRICS_TOKEN"  # noqa: S105 - a name
#: Written by a proxy: then whoever asks is not on this machine, whatever the connection's other end is.
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


def may_watch(peer: str | None, headers: Mapping[str, str], token: str | None) -> bool:
    """With a token whoever sends it, without one whoever calls from this machine and not through a proxy.

    A scraper beside the service needs no set-up; one on another machine needs a secret, as an operator does.
    """
    if token:
        given = headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    through_proxy = any(name in headers for name in _FORWARDED)
    return peer is not None and _is_loopback(peer) and not through_proxy


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
