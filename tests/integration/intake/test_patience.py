"""Callers who say nothing, or say it too slowly, are not kept."""

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web.patience import PatientProtocol
from tests.integration.intake.conftest import (
    BODY_LIMIT_BYTES,
    SECRETS,
    ServiceProgram,
    a_payload,
    running,
    settings_for,
    sign,
)


class _Hasty(PatientProtocol):
    patience: ClassVar = {"head": 0.4, "body": 0.8}


async def _answer(request: Request) -> PlainTextResponse:
    body = await request.body()
    await asyncio.sleep(float(request.query_params.get("seconds", "0")))
    return PlainTextResponse(str(len(body)))


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = Starlette(routes=[Route("/", _answer, methods=["GET", "POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, http=_Hasty, ws="none", log_level="warning", limit_concurrency=20))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        try:
            yield ("127.0.0.1", listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(30)


def _until_closed(connection: socket.socket, since: float, drip: bytes = b"") -> float:
    """Seconds from a moment before the connection was made until the other end closed it, while a byte is sent now and
    then."""
    connection.settimeout(0.1)
    while (lasted := time.monotonic() - since) < 60:
        with suppress(TimeoutError):
            try:
                if drip:
                    connection.sendall(drip)
                if connection.recv(1000) == b"":
                    return lasted
            except (ConnectionResetError, BrokenPipeError):
                return lasted
    pytest.fail("a connection was kept for a minute")


def test_silent_callers_leave_room_for_others(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_Hasty.patience, "head", 3.0)  # they are still there when somebody else asks
    with ExitStack() as opened:
        client = opened.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{address[1]}"))
        begun = time.monotonic()
        kept = [opened.enter_context(socket.create_connection(address)) for _ in range(25)]
        assert client.get("/").status_code == 503
        assert max(_until_closed(one, begun) for one in kept) < 30
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("said", "drip", "least"),
    [
        (b"", b"", 0.3),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n", 0.3),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n", b"x", 0.7),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n", 0.3),
    ],
    ids=["nothing", "a head", "a body", "a second head"],
)
def test_a_drip_does_not_keep_a_connection(address: tuple[str, int], said: bytes, drip: bytes, least: float) -> None:
    begun = time.monotonic()
    with socket.create_connection(address) as connection:
        connection.sendall(said)
        assert least < _until_closed(connection, begun, drip) < 30


def test_who_waits_for_an_answer_is_kept_and_so_is_the_connection(address: tuple[str, int]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}") as client:
        assert client.post("/?seconds=1.2", content=b"x" * 500_000).text == "500000"
        time.sleep(1)
        assert client.get("/?seconds=1").status_code == 200


def test_bodies_that_nobody_vouched_for_share_a_budget(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/u.db", tmp_path, unverified_limit_bytes=BODY_LIMIT_BYTES)
    with running(settings) as service:
        url = httpx.URL(service.url)
        head = (
            "POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-github-event: ping\r\n"
            f"x-github-delivery: {uuid.uuid4()}\r\nx-hub-signature-256: sha256={'0' * 64}\r\n"
            f"content-length: {BODY_LIMIT_BYTES}\r\n\r\n"
        )
        with socket.create_connection((url.host, url.port or 80)) as stranger:
            stranger.sendall(head.encode() + b"x" * (BODY_LIMIT_BYTES - 10))
            refused = service.deliver(a_payload())
            while refused.status_code == 202:  # the stranger's bytes are on their way
                refused = service.deliver(a_payload())
            assert (refused.status_code, refused.json()["error"]) == (503, "no_room")
            assert int(refused.headers["retry-after"]) > 0
        for _ in range(100):
            if (answer := service.deliver(a_payload())).status_code == 202:
                break
            time.sleep(0.05)
        assert answer.status_code == 202


@pytest.mark.slow
def test_the_program_takes_deliveries_again_after_a_hundred_silent_callers(tmp_path: Path) -> None:
    program = ServiceProgram(f"sqlite:///{tmp_path}/u.db", tmp_path)
    with program.running() as service, ExitStack() as silent:
        url = httpx.URL(service.url)
        begun = time.monotonic()
        kept = [silent.enter_context(socket.create_connection((url.host, url.port or 80))) for _ in range(100)]
        payload = b"{}"
        headers = sign(payload, SECRETS[0]) | {"x-github-event": "ping", "x-github-delivery": str(uuid.uuid4())}
        assert httpx.post(f"{service.url}/webhooks", content=payload, headers=headers).status_code == 503
        assert 8 < _until_closed(kept[-1], begun) < 30
        assert httpx.post(f"{service.url}/webhooks", content=payload, headers=headers).status_code == 202
