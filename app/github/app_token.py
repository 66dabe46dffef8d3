"""The App's own token: signed anew for each request that needs one, and good on clocks that differ.

githubkit's own is issued a minute ago, expires in nine and is kept for eight: two minutes before or behind GitHub's
clock it is refused. GitHub takes one that was not issued in its future and expires within ten minutes from its now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
from githubkit import AppAuthStrategy

if TYPE_CHECKING:
    from githubkit import GitHubCore

#: By so much may the clocks differ; more than ten minutes from issue to expiry is refused.
_DRIFT = timedelta(minutes=4)
_LIFE = timedelta(minutes=9)


def sign_app_token(app_id: str, private_key_pem: str, now: datetime) -> str:
    """Pure."""
    issued = now - _DRIFT
    claims = {"iss": app_id, "iat": issued, "exp": issued + _LIFE}
    return jwt.encode(claims, private_key_pem, algorithm="RS256")


class _Signing(httpx.Auth):
    def __init__(self, app_id: str, private_key_pem: str) -> None:
        self._app_id, self._private_key_pem = app_id, private_key_pem

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # sends nothing back
        token = sign_app_token(self._app_id, self._private_key_pem, datetime.now(UTC))
        request.headers["authorization"] = f"Bearer {token}"
        yield request


@dataclass
class SigningStrategy(AppAuthStrategy):
    """For githubkit, in the place of its own."""

    def get_auth_flow(self, github: "GitHubCore[Any]") -> httpx.Auth:
        return _Signing(str(self.app_id), self.private_key)
