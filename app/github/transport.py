"""One request to GitHub, and what its failures mean to us: later, no, or a bug of ours."""

from typing import Any

import httpx
from githubkit import GitHub
from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed

from app.domain.errors import Refused, RetryLater, UnderstudyError

#: Seconds to wait after an answer or a silence that says nothing about when to come back.
SERVER_PAUSE = 10.0
#: GitHub asks for at least a minute when a secondary limit comes without a time.
LIMIT_PAUSE = 60.0
_REASONS = {401: "bad_credentials", 403: "forbidden", 404: "not_found", 409: "conflict", 410: "gone", 422: "invalid"}


class Transport:
    """Sends with githubkit, whose own retries are off. Nothing is ever sent twice here."""

    def __init__(self, github: GitHub[Any]) -> None:
        self._github = github

    @property
    def graphql_url(self) -> str:
        """github.com: /graphql · Enterprise Server: /api/graphql beside /api/v3."""
        base = self._github.config.base_url
        path = base.path.removesuffix("/")
        return str(base.copy_with(path=path.removesuffix("/v3") + "/graphql"))

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        params: dict[str, str | int] | None = None,
        json: object = None,
        etag: str | None = None,
    ) -> httpx.Response:
        """The raw answer, whose status is below 400; with an `etag` it is 304 when nothing changed since.

        Raises:
            RetryLater: on a rate limit (with the time GitHub asked for), a 5xx or no answer.
            Refused: on any other 4xx, with a stable reason and GitHub's own message.
        """
        headers = {"X-GitHub-Api-Version": "2022-11-28"}
        if etag is not None:
            headers["If-None-Match"] = etag
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = await self._github.arequest(method, path, params=params, json=json, headers=headers)
        except RateLimitExceeded as error:
            raise RetryLater(f"GitHub's rate limit: {method} {path}", error.retry_after.total_seconds()) from error
        except RequestFailed as error:
            raise describe_failure(method, path, error.response.raw_response) from error
        except RequestError as error:
            if isinstance(error.exc, UnderstudyError):
                raise error.exc from error
            raise RetryLater(f"no answer from GitHub: {method} {path}: {error.exc!r}", SERVER_PAUSE) from error
        return answer.raw_response


def describe_failure(method: str, path: str, response: httpx.Response) -> Refused | RetryLater:
    """What an answer of 400 and above means."""
    message = _message(response)
    if response.status_code >= 500:
        return RetryLater(f"GitHub answered {response.status_code}: {method} {path}", SERVER_PAUSE)
    if response.status_code in (403, 429) and "rate limit" in message.lower():
        return RetryLater(f"GitHub's rate limit: {method} {path}", LIMIT_PAUSE)
    reason = _REASONS.get(response.status_code, f"http_{response.status_code}")
    return Refused(reason, f"GitHub refused {method} {path} with {response.status_code}: {message}")


def _message(response: httpx.Response) -> str:
    try:
        answer = response.json()
    except ValueError:
        return response.text[:200]
    if not isinstance(answer, dict):
        return str(answer)[:200]
    details = answer.get("errors")
    return f"{answer.get('message', '')}{f' {details}' if details else ''}"
