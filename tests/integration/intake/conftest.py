"""The real service over HTTP, on SQLite and on PostgreSQL, with the senders GitHub would be."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.main import boot, create_app, shutdown
from app.settings import Settings
from app.store.database import open_engine, reading
from app.store.deliveries import load_delivery
from app.store.tables import DeliveryRow
from app.workflows.runs import Queue
from tests.ports import free_port
from tests.waiting import eventually

SECRETS = ("canary-new-webhook-secret", "canary-old-webhook-secret")
TOKEN = "canary-operator-token-0123456789"
BODY_LIMIT_BYTES = 100_000
#: Nobody listens there: no test ever talks to the real one.
#: What everything kept of it is named by.
HOST = "127.0.0.1"
_NO_GITHUB = f"http://{HOST}:9"
_CHECKOUT = Path(__file__).parents[3]


@dataclass
class Service:
    """A running service. Work for GitHub and training stays queued: only intake's queue is worked on."""

    url: str
    database_url: str

    def deliver(
        self,
        payload: dict[str, Any] | bytes,
        *,
        event: str = "pull_request",
        guid: str | None = None,
        secret: str = SECRETS[0],
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One delivery as GitHub sends it; `headers` replace those, an empty value leaves one out."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = sign(body, secret) | {"x-github-event": event, "x-github-delivery": guid or str(uuid.uuid4())}
        sent = {name: value for name, value in (sent | (headers or {})).items() if value}
        return httpx.post(f"{self.url}/webhooks", content=body, headers=sent, timeout=60)

    def operator(self, method: str, path: str, token: str = TOKEN) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.request(method, f"{self.url}/operator{path}", headers=headers, timeout=60)

    def status(self) -> dict[str, Any]:
        return dict(self.operator("GET", "/status").json())


def sign(body: bytes, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}


def stored(service: Service, guid: str) -> DeliveryRow | None:
    """The delivery as the database has it."""
    database = open_engine(service.database_url)
    try:
        with reading(database) as session:
            return load_delivery(session, f"{HOST}:{guid}")
    finally:
        database.dispose()


def wait_outcome(service: Service, guid: str, timeout_seconds: float = 20) -> str:
    """What became of a delivery, once something did."""

    def look() -> str | None:
        row = stored(service, guid)
        return None if row is None else row.outcome

    return eventually(look, timeout_seconds) or ""


def a_payload(action: str = "opened", number: int = 7, **changes: Any) -> dict[str, Any]:
    return {
        "action": action,
        "installation": {"id": 11},
        "repository": {"id": 5, "full_name": "o/r", "owner": {"id": 3, "login": "o", "type": "Organization"}},
        "sender": {"id": 1, "login": "ann", "type": "User"},
        "pull_request": {"number": number, "head": {"sha": "a" * 40}, "draft": False, "merged": False},
    } | changes


def settings_for(database_url: str, folder: Path, **changes: Any) -> Settings:
    key = folder / "key.pem"
    if not key.exists():
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key.write_bytes(pem)
    values: dict[str, Any] = {
        "webhook_secrets": SECRETS,
        "operator_token": TOKEN,
        "app_id": 1,
        "private_key_file": key,
        "database_url": database_url,
        "data": folder / "data",
        "github_api_url": _NO_GITHUB,
        "github_git_url": _NO_GITHUB,
        "body_limit_bytes": BODY_LIMIT_BYTES,
        "polling_seconds": 0.05,
    }
    return Settings(**(values | changes))


@contextmanager
def boot_without_clock(settings: Settings, queues: tuple[Queue, ...] | None) -> Iterator[None]:
    with ThreadPoolExecutor(1) as thread:  # of its own: a test may have an event loop, and the engine makes one
        thread.submit(boot, settings, scheduled=False, queues=queues).result()
    try:
        yield
    finally:
        shutdown()


@contextmanager
def running(settings: Settings, *, queues: tuple[Queue, ...] | None = (Queue.INTAKE,)) -> Iterator[Service]:
    """The service of these settings on a port of its own, in a thread of this process. Work for other queues waits, and
    nothing begins because a minute did."""
    with boot_without_clock(settings, queues), socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(settings, booted=True), log_level="info", access_log=True, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        try:
            yield Service(f"http://127.0.0.1:{listening.getsockname()[1]}", settings.database_url)
        finally:
            server.should_exit = True
            thread.join(30)


class ServiceProgram:
    """The service with intake's queue alone as a program, which can be killed and started again on the same data."""

    def __init__(self, database_url: str, folder: Path) -> None:
        settings = settings_for(database_url, folder)
        self._database_url = database_url
        self._log = folder / "service.log"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "UNDERSTUDY_WEBHOOK_SECRETS": ",".join(SECRETS),
            "UNDERSTUDY_OPERATOR_TOKEN": TOKEN,
            "UNDERSTUDY_APP_ID": "1",
            "UNDERSTUDY_PRIVATE_KEY_FILE": str(settings.private_key_file),
            "UNDERSTUDY_DATABASE_URL": database_url,
            "UNDERSTUDY_DATA": str(folder / "data"),
            "UNDERSTUDY_GITHUB_API_URL": _NO_GITHUB,
            "UNDERSTUDY_GITHUB_GIT_URL": _NO_GITHUB,
            "UNDERSTUDY_PORT": str(self._port),
        }

    @contextmanager
    def running(self) -> Iterator[Service]:
        service = Service(f"http://127.0.0.1:{self._port}", self._database_url)
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "tests.integration.intake.intake_program"]
            self._process = subprocess.Popen(command, cwd=_CHECKOUT, env=self._environment, stdout=log, stderr=log)
        try:
            self._wait_ready(service)
            yield service
        finally:
            self._process.terminate()
            self._process.wait(60)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9, at whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(60)

    def _wait_ready(self, service: Service) -> None:
        deadline = time.monotonic() + 120
        while not self._is_ready(service):
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the service did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def _is_ready(self, service: Service) -> bool:
        try:
            return httpx.get(f"{service.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def service(empty_database_url: str, tmp_path: Path) -> Iterator[Service]:
    """A fresh service: the test runs once on SQLite and once on PostgreSQL."""
    with running(settings_for(empty_database_url, tmp_path)) as started:
        yield started


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the tests that only knock at its door."""
    folder = tmp_path_factory.mktemp("service")
    with running(settings_for(f"sqlite:///{folder / 'understudy.db'}", folder)) as started:
        yield started
