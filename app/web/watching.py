"""/healthz, /readyz and /metrics: for those who watch over processes, and of no use to anybody else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.domain.watchers import may_watch

OK = "ok"
_SECONDS = 3.0
_INFORMATION_SECONDS = 2.0
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Watching:
    """`alive` and `ready` block and say `ok` or what is wrong, by part. `model` is told and decides nothing."""

    alive: Callable[[], dict[str, str]]
    ready: Callable[[], dict[str, str]]
    model: Callable[[], Awaitable[str]]
    #: blocks; the figures in Prometheus' text format
    metrics: Callable[[], bytes]
    #: of /metrics; None: callers on this machine alone
    token: str | None


def watching_router(watching: Watching) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> JSONResponse:
        """Alive: the loop answers, and the job engine's threads run and look at their queues. A 503 means: restart
        this process."""
        parts = await asyncio.to_thread(watching.alive)
        return _answer(parts, "the job engine does not run")

    @router.get("/readyz")
    async def readiness() -> JSONResponse:
        """Ready: a delivery would be stored now. A 503 means: send nothing here, but let it live."""
        try:
            parts = await asyncio.wait_for(asyncio.to_thread(watching.ready), _SECONDS)
        except TimeoutError:
            parts = {"database": "takes no writes"}
        return _answer(parts, "no delivery would be stored", {"model": await _describe_model(watching)})

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        """A scraper sends the token. Without one only this machine is answered, for the figures name installations
        and adapters."""
        peer = None if request.client is None else request.client.host
        if not may_watch(peer, request.headers, watching.token):
            return JSONResponse({"detail": "expected `Authorization: Bearer <UNDERSTUDY_METRICS_TOKEN>`"}, 401)
        return Response(await asyncio.to_thread(watching.metrics), media_type=_CONTENT_TYPE)

    return router


def _answer(parts: dict[str, str], wrong: str, information: dict[str, str] | None = None) -> JSONResponse:
    is_well = set(parts.values()) == {OK}
    content = {"status": OK if is_well else wrong, "parts": parts}
    return JSONResponse(content if information is None else content | {"information": information}, _status(is_well))


def _status(is_well: bool) -> int:
    return 200 if is_well else 503


async def _describe_model(watching: Watching) -> str:
    try:
        return await asyncio.wait_for(watching.model(), _INFORMATION_SECONDS)
    except TimeoutError:
        return "away"
