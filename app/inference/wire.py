"""A connection to the serving front, and what a call to it can end in, in our own errors."""

from types import TracebackType
from typing import Any, Self

import httpx

from app.domain.errors import Refused, RetryLater
from app.domain.loopback import is_loopback

TOO_LONG = "too_long"
_TOO_LONG_WORDS = ("maximum context length", "maximum model length")


class FrontClient:
    """One connection pool to the serving front, with one of its keys; close it. Nothing that passes is logged."""

    def __init__(self, base_url: str, key: str, *, limit_seconds: float) -> None:
        # This machine's own servers are asked through no proxy of the environment: it would get the key and the code.
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"authorization": f"Bearer {key}"},
            timeout=limit_seconds,
            trust_env=not is_loopback(httpx.URL(base_url).host),
        )

    @property
    def http(self) -> httpx.AsyncClient:
        return self._http

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def send(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """The answer to a request that went well.

    Raises:
        RetryLater: the server is away, starting or overloaded; after the pause it asks for.
        Refused: everything else, with the server's own reason word; the request's content is never repeated.
    """
    try:
        answer = await client.request(method, path, json=body)
    except httpx.TransportError as error:
        raise RetryLater(f"the model server does not answer ({type(error).__name__})", 5) from error
    if answer.is_success:
        return answer
    reason, message = _read_error(answer)
    if answer.status_code in (429, 502, 503, 504):
        raise RetryLater(message, _read_pause(answer))
    raise Refused(reason, message)


def _read_error(answer: httpx.Response) -> tuple[str, str]:
    """Reason and message of the front, or the status alone when something else answered.

    vLLM has no word for a prompt that is too long, but one of two sentences; theirs is not repeated.
    """
    try:
        error = answer.json()["error"]
        if answer.status_code == 400 and any(words in str(error["message"]).lower() for words in _TOO_LONG_WORDS):
            return TOO_LONG, "the prompt and its answer are longer than the model server takes"
        return str(error["reason"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return "status", f"the model server answered {answer.status_code}"


def _read_pause(answer: httpx.Response) -> float:
    pause = answer.headers.get("retry-after", "")
    return float(pause) if pause.isdigit() else 5.0
