"""GitHub's web flow for people: where they are sent, and who they are when they come back.

A user's token lives within one call here: it is asked who the person is and which installations GitHub lists for them,
and is forgotten. What people may do is asked as the App ever after.
"""

from typing import Any
from urllib.parse import urlencode

from githubkit import UnauthAuthStrategy
from githubkit.exception import RequestError, RequestFailed

from app.domain.base import Record
from app.domain.errors import Refused, RetryLater
from app.github.asking import PAGE_SIZE
from app.github.auth import connect
from app.github.transport import SERVER_PAUSE, Transport, describe_failure

_TOKEN_PATH = "/login/oauth/access_token"  # noqa: S105  a path


class Person(Record):
    """Who signed in, and the ids of our installations that GitHub lists for them."""

    login: str
    user_id: int
    installations: tuple[int, ...]


class SigningIn:
    """The OAuth client of the App on one GitHub."""

    def __init__(self, *, api_url: str, git_url: str, client_id: str, client_secret: str) -> None:
        self._api_url = api_url
        self._git_url = git_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret

    def address(self, *, state: str, challenge: str, back: str) -> str:
        """Where a person is sent. `challenge`: SHA-256 of the verifier in base64url (PKCE, RFC 7636)."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": back,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._git_url}/login/oauth/authorize?{urlencode(query)}"

    async def identify(self, *, code: str, verifier: str, back: str) -> Person:
        """Raises:
        Refused: when GitHub does not take the code, or says nothing of the person.
        RetryLater: when GitHub is away.
        """
        token = await self._exchange(code, verifier, back)
        api = Transport(connect(self._api_url, UnauthAuthStrategy()))
        user = (await api.request("GET", "/user", token=token)).json()
        installations = await self._list_installations(api, token)
        return Person(login=str(user["login"]), user_id=int(user["id"]), installations=installations)

    async def _exchange(self, code: str, verifier: str, back: str) -> str:
        """GitHub answers 200 also when it refuses, and says so in the body."""
        sent = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        host = connect(self._git_url, UnauthAuthStrategy())
        try:
            found = await host.arequest("POST", _TOKEN_PATH, data=sent, headers={"Accept": "application/json"})
        except RequestFailed as error:
            raise describe_failure("POST", _TOKEN_PATH, error.response.raw_response) from None
        except RequestError:
            raise RetryLater(f"no answer from GitHub: POST {_TOKEN_PATH}", SERVER_PAUSE) from None
        answer: dict[str, Any] = found.raw_response.json()
        if not answer.get("access_token"):
            raise Refused(
                str(answer.get("error") or "no_token"), "GitHub gave no token for this sign-in; begin it anew"
            )
        return str(answer["access_token"])

    async def _list_installations(self, api: Transport, token: str) -> tuple[int, ...]:
        found: list[int] = []
        page = 1
        while True:
            params: dict[str, str | int] = {"per_page": PAGE_SIZE, "page": page}
            answer = await api.request("GET", "/user/installations", token=token, params=params)
            found += [int(item["id"]) for item in answer.json()["installations"]]
            if "next" not in answer.links:
                return tuple(found)
            page += 1
