"""The operator's API under /operator, for holders of one bearer token."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, HTTPException

from app.domain.errors import UserError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Operations:
    """What an operator may do. All of them block; they are called in threads."""

    status: Callable[[], dict[str, Any]]
    #: installation id → id of the workflow that was started
    train: Callable[[int], str]
    #: workflow id
    retry: Callable[[str], None]
    cancel: Callable[[str], None]


def operator_router(operations: Operations, token: str) -> APIRouter:
    router = APIRouter(prefix="/operator", dependencies=[Depends(_guard(token))])

    @router.get("/status")
    async def status() -> dict[str, Any]:
        return await _answer(operations.status)

    @router.post("/installations/{installation_id}/train", status_code=202)
    async def train(installation_id: int) -> dict[str, str]:
        return {"workflow": await _answer(operations.train, installation_id)}

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


def _guard(token: str) -> Callable[[str], Awaitable[None]]:
    expected = f"Bearer {token}".encode()

    async def check(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), expected):
            raise HTTPException(
                401, "expected `Authorization: Bearer <the operator token>`", headers={"www-authenticate": "Bearer"}
            )

    return check


async def _answer(operation: Callable[..., Answer], *arguments: object) -> Answer:
    try:
        return await asyncio.to_thread(operation, *arguments)
    except UserError as error:
        raise HTTPException(409, str(error)) from error
