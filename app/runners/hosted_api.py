"""Requests to a hosted fine-tuning service. By httpx: its own client retries by itself, which may create twice."""

import hashlib
from typing import Any

import httpx

from app.domain.errors import Refused, RetryLater, UserError
from app.runners.hosted_dialects import HostedJob, jobs_path, parse_job, select_file, select_ours
from app.runners.places import HostedPlace

_SECONDS = 120.0
_PAUSE_SECONDS = 30.0
#: A page of files or jobs. Ours are the newest of their kind.
_PAGE = 100


class HostedApi:
    """Use as an async context manager. Redirects are not followed: a key goes to the host that was agreed to."""

    def __init__(self, place: HostedPlace, key: str) -> None:
        self._place = place
        self._client = httpx.AsyncClient(
            base_url=place.url, timeout=_SECONDS, headers={"authorization": f"Bearer {key}"}, follow_redirects=False
        )

    async def __aenter__(self) -> "HostedApi":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def find_file(self, filename: str, size: int) -> str | None:
        params = {"purpose": "fine-tune", "limit": str(_PAGE)} if self._place.dialect == "openai" else {}
        return select_file((await self._ask("GET", "/files", params=params)).json()["data"], filename, size)

    async def upload(self, filename: str, rows: bytes) -> str:
        """The file's id. Raises as every call here."""
        if self._place.dialect == "openai":
            sent = {"file": (filename, rows, "application/jsonl")}
            return str((await self._ask("POST", "/files", data={"purpose": "fine-tune"}, files=sent)).json()["id"])
        return await self._upload_to_storage(filename, rows)

    async def _upload_to_storage(self, filename: str, rows: bytes) -> str:
        """Together answers with a place in its storage, takes the bytes there, and is then told to look at them. The
        key does not go to the storage: its address is signed."""
        told = {"purpose": "fine-tune", "file_name": filename, "file_type": "jsonl"}
        form = told | {"checksum": hashlib.md5(rows, usedforsecurity=False).hexdigest()}
        answer = await self._ask("POST", "/files", data=form, accepted=(302, 307, 409))
        if answer.status_code == 409:  # the same bytes are there
            return str(answer.json()["file_id"])
        place, file = answer.headers.get("location"), answer.headers.get("x-together-file-id")
        if not place or not file:
            raise Refused("hosted", "expected a place to upload to, got an answer without one")
        self._check_storage(place)
        async with httpx.AsyncClient(timeout=_SECONDS) as storage:
            try:
                stored = await storage.put(place, content=rows)
            except httpx.TransportError as error:
                raise RetryLater(f"the storage does not answer ({type(error).__name__})", _PAUSE_SECONDS) from error
        if not stored.is_success:
            raise RetryLater(f"the storage answered {stored.status_code}", _PAUSE_SECONDS)
        await self._ask("POST", f"/files/{file}/preprocess")
        return str(file)

    def _check_storage(self, place: str) -> None:
        if httpx.URL(place).scheme != "https" and not self._place.url.startswith("http://"):
            raise Refused("hosted", "expected an https address to upload to; what is sent is confidential")

    async def delete_file(self, file: str) -> None:
        await self._ask("DELETE", f"/files/{file}", accepted=(404,))

    async def find_job(self, name: str, told: tuple[str, ...]) -> HostedJob | None:
        params = {"limit": str(_PAGE)} if self._place.dialect == "openai" else {}
        return select_ours((await self._ask("GET", jobs_path(self._place), params=params)).json()["data"], name, told)

    async def create_job(self, body: dict[str, Any], key: str) -> HostedJob:
        """`key` lets a service that knows idempotency keys answer twice and create once."""
        answer = await self._ask("POST", jobs_path(self._place), json=body, headers={"idempotency-key": key})
        return parse_job(answer.json())

    async def load_job(self, job: str) -> HostedJob:
        return parse_job((await self._ask("GET", f"{jobs_path(self._place)}/{job}")).json())

    async def list_events(self, job: str) -> list[dict[str, Any]]:
        return list((await self._ask("GET", f"{jobs_path(self._place)}/{job}/events")).json()["data"])

    async def cancel_job(self, job: str) -> None:
        await self._ask("POST", f"{jobs_path(self._place)}/{job}/cancel", accepted=(400, 404, 409))

    async def _ask(self, method: str, path: str, *, accepted: tuple[int, ...] = (), **more: Any) -> httpx.Response:  # noqa: ANN401  httpx's own
        try:
            answer = await self._client.request(method, path, **more)
        except httpx.TransportError as error:
            raise RetryLater(f"{self._place.host} does not answer ({type(error).__name__})", _PAUSE_SECONDS) from error
        if answer.is_success or answer.status_code in accepted:
            return answer
        said = f"{self._place.host} answered {answer.status_code} to {method} {path}: {_message(answer)}"
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryLater(said, _PAUSE_SECONDS)
        if answer.status_code in (401, 403):
            raise UserError(f"{said}; check the key in {self._place.key_file}, and what it may do")
        raise Refused("hosted", said)


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return "no message"
