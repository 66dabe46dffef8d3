"""The stand-in as a real HTTP server: uvicorn on loopback in a thread of the demo or the tests."""

import socket
import threading
import time
from datetime import UTC
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import parse_qsl

import httpx
import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import UserError
from app.rehearsal.standin.answers import Refusal, not_found
from app.rehearsal.standin.control import StandIn
from app.rehearsal.standin.registration import mount_registration
from app.rehearsal.standin.routes import ROUTES
from app.rehearsal.standin.routing import Incoming, Route, answer
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.smart_http import serve_git

_START_SECONDS = 20.0


def create_standin_app(site: Site) -> FastAPI:
    """Every route of the stand-in; what is not a route is GitHub's 404."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for route in ROUTES:
        _mount(app, site, route)
    mount_registration(app, site)

    async def git(request: Request) -> Response:
        return await serve_git(site, request)

    app.add_route("/{owner}/{repo}.git/{inner:path}", git, methods=["GET", "POST"])

    async def authorize(request: Request) -> Response:
        with site.lock:
            try:
                return RedirectResponse(site.people.authorize(dict(request.query_params), site.clock()), 302)
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.status)

    async def exchange(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        with site.lock:
            return JSONResponse(site.people.exchange(form, site.clock()))

    app.add_route("/login/oauth/authorize", authorize, methods=["GET"])
    app.add_route("/login/oauth/access_token", exchange, methods=["POST"])

    async def unknown(_request: Request) -> Response:
        return JSONResponse(not_found().body, 404)

    app.add_route("/{anything:path}", unknown, methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    return app


def _mount(app: FastAPI, site: Site, route: Route) -> None:
    prefix = "" if site.enterprise is None else site.enterprise.prefix(route.template)

    async def handle(request: Request) -> Response:
        incoming = Incoming(
            method=request.method,
            url=f"{site.base_url}{request.url.path}",
            path=request.url.path.removeprefix(prefix),
            path_values=request.path_params,
            query=dict(request.query_params),
            headers=request.headers,
            content=await request.body(),
        )
        outgoing = await run_in_threadpool(answer, site, route, incoming)
        return Response(outgoing.content, outgoing.status, outgoing.headers)

    template = route.template
    for name in ("{basehead}", "{ref}", "{path}"):  # these may hold slashes
        template = template.replace(name, f"{name[:-1]}:path}}")
    app.add_route(f"{prefix}{template}", handle, methods=[route.method])


def _dated(app: ASGIApp, site: Site) -> ASGIApp:
    """Every answer says the time by the stand-in's clock, which a test may set."""

    async def answer_dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(site.clock().astimezone(UTC), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        await app(scope, receive, send_dated)

    return answer_dated


class Certificate(NamedTuple):
    """Files in PEM."""

    chain: Path
    key: Path


class StandInServer:
    """`with StandInServer(standin) as server:` listens on a free port of 127.0.0.1 until the block ends.

    `address` is another of this machine's own. With a `certificate` it speaks TLS, and `base_url` is what its clients
    know it by, such as a name that a proxy leads here.
    """

    def __init__(
        self,
        standin: StandIn,
        *,
        port: int = 0,
        address: str = "127.0.0.1",
        certificate: Certificate | None = None,
        base_url: str | None = None,
    ) -> None:
        self._standin = standin
        self._socket = socket.create_server((address, port))
        self.port: int = self._socket.getsockname()[1]
        self.base_url = base_url or f"{'https' if certificate else 'http'}://{address}:{self.port}"
        standin.base_url = self.base_url
        self.api_url = self.base_url
        if standin.enterprise is not None:
            self.api_url += standin.enterprise.prefix("/app")
            standin.webhooks.more_headers = standin.enterprise.webhook_headers(httpx.URL(self.base_url).host)
        config = uvicorn.Config(
            _dated(create_standin_app(standin), standin),
            date_header=False,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ssl_certfile=certificate and certificate.chain,
            ssl_keyfile=certificate and certificate.key,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="stand-in-github", daemon=True)

    def __enter__(self) -> "StandInServer":
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise UserError(f"the stand-in GitHub did not start at {self.base_url}; its log says why")
            time.sleep(0.005)
        self._standin.webhooks.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._standin.webhooks.stop()
        self._server.should_exit = True
        self._thread.join(timeout=_START_SECONDS)
        self._socket.close()

    def deliver_to(self, url: str | None) -> None:
        """Where webhooks go from now on; those queued before are sent too. None holds them back again."""
        self._standin.webhooks.deliver_to(url)

    def drain(self, timeout: float = 30.0) -> None:
        """Wait until every webhook was attempted.

        Raises:
            UserError: when `timeout` seconds were not enough.
        """
        if not self._standin.webhooks.drain(timeout):
            raise UserError(f"webhooks were still waiting after {timeout:g} s; was deliver_to() called?")

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
