"""A client that can read and nothing else: whatever code it is given to, nothing is written on GitHub.

Two fences. The request hook lets pass GET, GraphQL documents that hold queries only, and the request for a token that
may read; all else is refused before it leaves. And the token itself, where we ask for it as an App, is narrowed to
reading one repository. Not fenced: what a person's own token may do elsewhere, for only GitHub narrows that.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from githubkit import UnauthAuthStrategy
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

from app.domain.errors import Refused
from app.github.app_token import SigningStrategy
from app.github.auth import RENEW_BEFORE, connect
from app.github.client import GitHubClient
from app.github.pacing import Pace
from app.github.transport import Transport

#: What a rehearsal reads: threads and heads, commits and the policy file.
READS = {"contents": "read", "metadata": "read", "pull_requests": "read"}
_TOKENS = re.compile(r"(/api/v3)?/app/installations/\d+/access_tokens")
_GRAPHQL = frozenset({"/graphql", "/api/graphql"})


def is_reading(method: str, path: str, content: bytes) -> bool:
    """Whether a request can change nothing on GitHub. Pure; what can't be understood is no reading."""
    if method in ("GET", "HEAD"):
        return True
    if method != "POST":
        return False
    try:
        body = json.loads(content)
    except ValueError:
        return False
    if not isinstance(body, dict):
        return False
    return _is_query(body.get("query")) if path in _GRAPHQL else _is_narrow(path, body.get("permissions"))


def _is_query(document: object) -> bool:
    if not isinstance(document, str):
        return False
    try:
        definitions = parse(document).definitions
    except GraphQLError:
        return False
    operations = [one for one in definitions if isinstance(one, OperationDefinitionNode)]
    return bool(operations) and all(one.operation is OperationType.QUERY for one in operations)


def _is_narrow(path: str, permissions: object) -> bool:
    """The request for a token of an installation; without named permissions it would get all of the App's."""
    if _TOKENS.fullmatch(path) is None or not isinstance(permissions, Mapping) or not permissions:
        return False
    return set(permissions.values()) == {"read"}


async def refuse_writing(request: httpx.Request) -> None:
    """Raises:
    Refused: `read_only`, for a request that could write.
    """
    if not is_reading(request.method, request.url.path, request.content):
        raise Refused("read_only", f"{request.method} {request.url.path} was not sent: a rehearsal only reads")


class TokenAccess:
    """With a token of somebody's own, as it is."""

    installation_id = 0
    granted: Mapping[str, str] = MappingProxyType({})

    def __init__(self, *, api_url: str, token: str, ca_file: Path | None = None) -> None:
        self.ca_file = ca_file
        self.app = self.api = Transport(connect(api_url, UnauthAuthStrategy(), refuse_writing, ca_file=ca_file))
        self._token = token

    async def fetch_token(self) -> str:
        return self._token

    def forget_token(self) -> None:
        """There is no other: a refused one is refused again, and then said."""


class AppAccess:
    """As the App, with a token for one repository that may only read."""

    installation_id = 0
    granted: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, *, api_url: str, app_id: int, private_key_pem: str, repository: str, ca_file: Path | None = None
    ) -> None:
        self.ca_file = ca_file
        signing = SigningStrategy(app_id, private_key_pem)
        self.app = Transport(connect(api_url, signing, refuse_writing, ca_file=ca_file))
        self.api = Transport(connect(api_url, UnauthAuthStrategy(), refuse_writing, ca_file=ca_file))
        self._repository = repository
        self._token: str | None = None
        self._expires_at = datetime.min.replace(tzinfo=UTC)

    async def fetch_token(self) -> str:
        """Raises:
        Refused: `not_found`, where the App is not installed on the repository.
        """
        if self._token is None or datetime.now(UTC) > self._expires_at - RENEW_BEFORE:
            found = (await self.app.request("GET", f"/repos/{self._repository}/installation")).json()
            wanted: dict[str, Any] = {"repositories": [self._repository.split("/")[1]], "permissions": READS}
            path = f"/app/installations/{int(found['id'])}/access_tokens"
            answer = (await self.app.request("POST", path, json=wanted)).json()
            self._token, self._expires_at = str(answer["token"]), datetime.fromisoformat(answer["expires_at"])
        return self._token

    def forget_token(self) -> None:
        self._token = None


class ReadingClient(GitHubClient):
    """The client with only its reading half: a method that writes is refused by the transport."""

    def __init__(self, *, git_url: str, access: TokenAccess | AppAccess) -> None:
        self._begin(git_url=git_url, app_id=0, access=access, pace=Pace(pause_seconds=0.0, per_hour=500))

    async def fetch_default_branch(self, repository: str) -> str:
        return str((await self._read(f"/repos/{repository}"))["default_branch"])
