"""Nobody without the operator's token has a body read, and nobody with it a long one."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.web.operator import Operations, operator_router, proof_router

TOKEN = "t" * 40
_FIELDS = len(Operations.__dataclass_fields__)


def an_app() -> FastAPI:
    app = FastAPI()
    app.include_router(operator_router(Operations(*[lambda *given: {"given": list(given)}] * _FIELDS), TOKEN))  # type: ignore[arg-type]  # one answer for all
    app.include_router(proof_router(TOKEN))
    return app


def routes() -> Iterator[tuple[str, str]]:
    for route in an_app().routes:
        if isinstance(route, APIRoute) and route.path != "/operator/proof":
            path = route.path.replace("{installation_id}", "1").replace("{workflow_id:path}", "a:1")
            yield next(iter(route.methods)), path


class Body:
    """Says how much of it was asked for."""

    def __init__(self, chunk: bytes, times: int) -> None:
        self.sent = 0
        self._chunk, self._times = chunk, times

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._times):
            self.sent += len(self._chunk)
            yield self._chunk


async def send(method: str, path: str, body: Any, token: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app=an_app())
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        return await client.request(method, path, content=body, headers=headers)


@pytest.mark.parametrize(("method", "path"), sorted(routes()))
async def test_without_the_token_nothing_of_a_body_is_read(method: str, path: str) -> None:
    for body in (Body(b"[[],[]," * 10_000, 100), b"no json"):
        answer = await send(method, path, body)
        assert answer.status_code == 401
        assert not isinstance(body, Body) or body.sent == 0


@pytest.mark.parametrize("path", ["/operator/erasures", "/operator/erasures/preview"])
async def test_with_it_a_body_is_read_as_far_as_it_may_be_long(path: str) -> None:
    body = Body(b"[" * 4_096, 1_000)
    assert (await send("POST", path, body, TOKEN)).status_code == 413
    assert body.sent <= 5 * 4_096

    refused = await send("POST", path, b'{"kind": 7}', TOKEN)
    assert refused.status_code == 422
    assert {tuple(one["loc"]) for one in refused.json()["detail"]} == {("kind",), ("name",)}

    asked = json.dumps({"kind": "author", "name": "ann"}).encode()
    answer = await send("POST", "/operator/erasures/preview", asked, TOKEN)
    assert (answer.status_code, answer.json()) == (200, {"given": ["author", "ann", None]})
