"""One request to GitHub, and what its failures mean to us: later, no, or a bug of ours."""

import logging
import ssl
import time
from typing import Any

import httpx
from githubkit import GitHub, Response
from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed

from app.domain.errors import Refused, RetryLater, UnderstudyError
from app.watching.metrics import count_request
from app.watching.routes import route_of
from app.watching.tracing import CLIENT, span

#: Seconds to wait after an answer or a silence that says nothing about when to come back.
SERVER_PAUSE = 10.0
#: GitHub asks for at least a minute when a secondary limit comes without a time.
LIMIT_PAUSE = 60.0
#: The oldest one that GitHub speaks, so that Enterprise Servers do, too.
API_VERSION = "2022-11-28"
_REASONS = {401: "bad_credentials", 403: "forbidden", 404: "not_found", 409: "conflict", 410: "gone", 422: "invalid"}


UNKNOWN_VERSION = "unknown_version"
_log = logging.getLogger(__name__)


class Transport:
    """Sends with githubkit, whose own retries are off. Nothing is ever sent twice here."""

    def __init__(self, github: GitHub[Any]) -> None:
        self._github = github
        self._version: str | None = API_VERSION

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

        A server that does not know our API version does nothing and says so; it is asked again in its own.

        Raises:
            RetryLater: on a rate limit (with the time GitHub asked for), a 5xx or no answer.
            Refused: on any other 4xx, with a stable reason and GitHub's own message.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if etag is not None:
            headers["If-None-Match"] = etag
        if self._version is not None:
            try:
                versioned = {**headers, "X-GitHub-Api-Version": self._version}
                return await self._request(method, path, versioned, params, json)
            except Refused as error:
                if error.reason != UNKNOWN_VERSION:
                    raise
                _log.warning("%s; it is asked in its own version from now on", error)
            self._version = None
        return await self._request(method, path, headers, params, json)

    async def _request(
        self, method: str, path: str, headers: dict[str, str], params: dict[str, str | int] | None, json: object
    ) -> httpx.Response:
        try:
            answer = await self._ask(method, path, params=params, json=json, headers=headers)
        except RateLimitExceeded as error:
            raise RetryLater(f"GitHub's rate limit: {method} {path}", error.retry_after.total_seconds()) from error
        except RequestFailed as error:
            raise describe_failure(method, path, error.response.raw_response) from error
        except RequestError as error:
            if isinstance(error.exc, UnderstudyError):
                raise error.exc from error
            if _is_untrusted(error.exc):
                raise RetryLater(
                    f"{error.exc}; {untrusted(self._github.config.base_url.host)}", SERVER_PAUSE
                ) from error
            raise RetryLater(f"no answer from GitHub: {method} {path}: {error.exc!r}", SERVER_PAUSE) from error
        return answer.raw_response

    async def _ask(self, method: str, path: str, **asked: Any) -> Response[Any]:  # noqa: ANN401 - githubkit's own
        """Watched: whatever becomes of it is counted, and told in a span."""
        began, status = time.monotonic(), None
        route = route_of(path)
        with span(f"{method} {route}", CLIENT, route=route) as current:
            try:
                answer: Response[Any] = await self._github.arequest(method, path, **asked)
                status = answer.raw_response.status_code
            except RequestFailed as error:
                status = error.response.raw_response.status_code
                raise
            finally:
                count_request(method, path, status, time.monotonic() - began)
                if status is not None:
                    current.set_attribute("http.response.status_code", status)
        return answer


def describe_failure(method: str, path: str, response: httpx.Response) -> Refused | RetryLater:
    """What an answer of 400 and above means."""
    message = _message(response)
    if response.status_code >= 500:
        return RetryLater(f"GitHub answered {response.status_code}: {method} {path}", SERVER_PAUSE)
    if response.status_code in (403, 429) and "rate limit" in message.lower():
        return RetryLater(f"GitHub's rate limit: {method} {path}", LIMIT_PAUSE)
    if response.status_code == 400 and "is not a supported version" in message:
        return Refused(UNKNOWN_VERSION, f"GitHub refused {method} {path}: {message}")
    reason = _REASONS.get(response.status_code, f"http_{response.status_code}")
    return Refused(reason, f"GitHub refused {method} {path} with {response.status_code}: {message}")


def untrusted(host: str) -> str:
    """What to do about a certificate that nobody here vouches for."""
    return (
        f"the certificate of {host} is signed by nobody that is trusted here: name a file with its authorities in "
        "UNDERSTUDY_CA_FILE, or as ca_file in the file of UNDERSTUDY_HOSTS"
    )


def _is_untrusted(error: BaseException | None) -> bool:
    """httpx wraps what OpenSSL said."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _message(response: httpx.Response) -> str:
    try:
        answer = response.json()
    except ValueError:
        return response.text[:200]
    if not isinstance(answer, dict):
        return str(answer)[:200]
    details = answer.get("errors")
    return f"{answer.get('message', '')}{f' {details}' if details else ''}"
