"""The operator's API under /operator, for holders of one bearer token."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from pydantic import BaseModel, ValidationError

from app.domain.errors import UserError
from app.domain.proofs import NONCE, prove

Answer = TypeVar("Answer")
#: Bytes of what an operator sends: a kind and a name.
_LONGEST_BODY = 16_384


@dataclass(frozen=True)
class Operations:
    """What an operator may do. All of them block; they are called in threads."""

    status: Callable[[], dict[str, Any]]
    #: installation id → id of the workflow that was started
    train: Callable[[int], str]
    #: installation id → id of the workflow that was started
    backfill: Callable[[int], str]
    #: kind and name of what is to be erased, and the GitHub that it is about → what would be
    preview_erasure: Callable[[str, str, str | None], dict[str, Any]]
    #: the same → ids of the workflows that were started
    erase: Callable[[str, str, str | None], list[str]]
    #: installation id → how people take its reviews, by adapter version
    feedback: Callable[[int], dict[str, Any]]
    #: installation id → name of the adapter that reviews again
    roll_back: Callable[[int], str]
    #: workflow id
    retry: Callable[[str], None]
    cancel: Callable[[str], None]


class Erasure(BaseModel):
    """`kind` is author, pull_request, repository or installation; `host` the GitHub, where there are several."""

    kind: str
    name: str
    host: str | None = None


def operator_router(operations: Operations, token: str) -> APIRouter:
    router = APIRouter(prefix="/operator", dependencies=[Depends(_guard(token))])

    @router.get("/status")
    async def status() -> dict[str, Any]:
        return await _answer(operations.status)

    @router.post("/installations/{installation_id}/train", status_code=202)
    async def train(installation_id: int) -> dict[str, str]:
        return {"workflow": await _answer(operations.train, installation_id)}

    @router.post("/installations/{installation_id}/backfill", status_code=202)
    async def backfill(installation_id: int) -> dict[str, str]:
        return {"workflow": await _answer(operations.backfill, installation_id)}

    @router.get("/installations/{installation_id}/feedback")
    async def feedback(installation_id: int) -> dict[str, Any]:
        return await _answer(operations.feedback, installation_id)

    # Whom it is about travels in the body: addresses of requests are written to logs.
    @router.post("/erasures/preview")
    async def preview_erasure(request: Request) -> dict[str, Any]:
        asked = await _read_erasure(request)
        return await _answer(operations.preview_erasure, asked.kind, asked.name, asked.host)

    @router.post("/erasures", status_code=202)
    async def erase(request: Request) -> dict[str, list[str]]:
        asked = await _read_erasure(request)
        return {"workflows": await _answer(operations.erase, asked.kind, asked.name, asked.host)}

    @router.post("/installations/{installation_id}/rollback")
    async def roll_back(installation_id: int) -> dict[str, str]:
        return {"adapter": await _answer(operations.roll_back, installation_id)}

    # A workflow's id may hold slashes and colons, so it takes the rest of the path.
    @router.post("/retry/{workflow_id:path}", status_code=202)
    async def retry(workflow_id: str) -> dict[str, str]:
        await _answer(operations.retry, workflow_id)
        return {"workflow": workflow_id}

    @router.post("/cancel/{workflow_id:path}", status_code=202)
    async def cancel(workflow_id: str) -> dict[str, str]:
        await _answer(operations.cancel, workflow_id)
        return {"workflow": workflow_id}

    return router


def proof_router(token: str) -> APIRouter:
    """What a command beside the service asks before it sends the token. Whoever asks learns an HMAC under it, which
    says nothing of a token that is made by chance."""
    router = APIRouter(prefix="/operator")

    @router.get("/proof")
    async def proof(nonce: str, request: Request) -> dict[str, str]:
        if not NONCE.fullmatch(nonce):
            raise HTTPException(422, "expected a nonce of 32 to 128 hexadecimal digits")
        _, port = request.scope["server"]
        return {"proof": prove(token, nonce, port)}

    return router


def _guard(token: str) -> Callable[[str], Awaitable[None]]:
    expected = f"Bearer {token}".encode()

    async def check(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), expected):
            raise HTTPException(
                401, "expected `Authorization: Bearer <the operator token>`", headers={"www-authenticate": "Bearer"}
            )

    return check


async def _read_erasure(request: Request) -> Erasure:
    """By hand, and so behind the guard: a body in a route's signature is read and parsed, however large, before the
    route's dependencies are asked."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, f"expected at most {_LONGEST_BODY} bytes, got more")
    try:
        return Erasure.model_validate_json(body)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        raise HTTPException(422, told) from error


async def _answer(operation: Callable[..., Answer], *arguments: object) -> Answer:
    try:
        return await asyncio.to_thread(operation, *arguments)
    except UserError as error:
        raise HTTPException(409, str(error)) from error
