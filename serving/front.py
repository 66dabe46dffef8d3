"""The only thing that listens for others: a few routes, two keys, and names that we loaded ourselves.

vLLM has some forty routes, several without any key. Here everything that is not named below is 404. Nothing that
passes through is logged: it is other people's code.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from app.domain.base import Record
from app.domain.errors import Refused, RetryLater
from app.domain.explaining import explain
from app.domain.serving import EngineCard, PrefixCache, ProbeReport, ServingStatus
from app.domain.watchers import METRICS_TOKEN, may_watch
from serving.chat import LARGEST_BODY, ChatRequest, CompletionRequest
from serving.controller import Controller
from serving.engine import Engine
from serving.figures import Figures

RequestT = TypeVar("RequestT", ChatRequest, CompletionRequest, "LoadRequest")
_STATUS_OF = {"key": 401, "unknown_name": 404, "too_large": 413, "engine": 502}


class LoadRequest(Record):
    """`path` is absolute, on the machine that serves."""

    path: str


def create_front(
    controller: Controller, *, read_key: str, control_key: str, metrics_token: str | None = None
) -> FastAPI:
    """The control key also reads; the read key controls nothing. Figures are for `metrics_token`, or this machine."""
    front = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    front.add_exception_handler(HTTPException, _answer_unknown)
    front.add_exception_handler(Refused, _answer_refused)
    front.add_exception_handler(RetryLater, _answer_later)
    reads = [Depends(_require(read_key, control_key))]
    figures = Figures(controller)
    _add_control(front, controller, control_key)
    _add_figures(front, figures, metrics_token)

    @front.get("/health")
    async def health() -> Response:
        """Open, for whoever watches over processes has no key, and it tells nothing but ready or not."""
        ready = controller.ready.is_set()
        return JSONResponse({"state": controller.status().state}, status_code=200 if ready else 503)

    @front.get("/v1/models", dependencies=reads)
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in controller.names()]}

    @front.post("/v1/chat/completions", dependencies=reads)
    async def chat(request: Request) -> Response:
        asked = _parse(ChatRequest, await _read_body(request))
        with figures.asked("chat"):
            async with controller.admit(asked.model):
                return await _pass_on(controller.engine, "/v1/chat/completions", asked)

    @front.post("/v1/completions", dependencies=reads)
    async def complete(request: Request) -> Response:
        asked = _parse(CompletionRequest, await _read_body(request))
        with figures.asked("completion"):
            async with controller.admit(asked.model):
                return await _pass_on(controller.engine, "/v1/completions", asked)

    @front.get("/v1/engine", dependencies=reads)
    async def engine() -> EngineCard:
        return controller.card()

    return front


def _add_control(front: FastAPI, controller: Controller, control_key: str) -> None:
    controls = [Depends(_require(control_key))]

    @front.put("/control/adapters/{name}", dependencies=controls)
    async def load(name: str, request: Request) -> ProbeReport:
        path = Path(_parse(LoadRequest, await _read_body(request)).path)
        if not path.is_absolute():
            raise Refused("path", f"expected an absolute path, got {path}")
        return await controller.load(name, path)

    @front.delete("/control/adapters/{name}", dependencies=controls, status_code=204)
    async def unload(name: str) -> None:
        await controller.unload(name)

    @front.get("/control/status", dependencies=controls)
    async def status() -> ServingStatus:
        return controller.status()

    @front.get("/control/cache", dependencies=controls)
    async def cache() -> PrefixCache:
        """Hits tell what others asked, so no key that only reads is told."""
        return await controller.read_cache()


def _add_figures(front: FastAPI, figures: Figures, token: str | None) -> None:
    @front.get("/metrics")
    async def metrics(request: Request) -> Response:
        peer = None if request.client is None else request.client.host
        if not may_watch(peer, request.headers, token):
            raise Refused("key", f"expected `Authorization: Bearer <{METRICS_TOKEN}>`")
        return Response(figures.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _pass_on(engine: Engine, route: str, asked: ChatRequest | CompletionRequest) -> Response:
    scoring = isinstance(asked, CompletionRequest) and asked.prompt_logprobs is not None
    try:
        async with engine.turnstile.alone() if scoring else engine.turnstile.together():
            answer = await engine.client.post(route, json=asked.render())
    except httpx.TransportError as error:
        raise RetryLater("vLLM went away while answering", 5) from error
    return Response(answer.content, status_code=answer.status_code, media_type="application/json")


def _require(*keys: str) -> Callable[[Request], None]:
    accepted = [f"Bearer {key}".encode() for key in keys]

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not any(secrets.compare_digest(given, key) for key in accepted):
            raise Refused("key", "expected `Authorization: Bearer <key>` with the key of this server's state folder")

    return check


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise Refused("too_large", f"the body has more than {LARGEST_BODY} bytes")
    return bytes(body)


def _parse(kind: type[RequestT], body: bytes) -> RequestT:
    """Errors name fields, never their content."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        wrong = explain(error, whole="body")
        raise Refused("request", f"{wrong.field}: {wrong.words}") from None


async def _answer_unknown(_request: Request, error: Exception) -> Response:
    """Other methods on known paths are as unknown as other paths."""
    return _error(404, "unknown_route", "there is no such route")


async def _answer_refused(_request: Request, error: Exception) -> Response:
    reason = error.reason if isinstance(error, Refused) else "error"
    return _error(_STATUS_OF.get(reason, 422), reason, str(error))


async def _answer_later(_request: Request, error: Exception) -> Response:
    answer = _error(503, "retry_later", str(error))
    answer.headers["retry-after"] = str(int(error.after_seconds) if isinstance(error, RetryLater) else 5)
    return answer


def _error(status: int, reason: str, message: str) -> Response:
    return JSONResponse({"error": {"reason": reason, "message": message}}, status_code=status)
