"""Webhooks: signed, logged, redeliverable. GitHub never retries by itself, so neither does this."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from app.rehearsal.standin.faults import Faults

_ANSWER_SECONDS = 10.0  # what github.com gives a receiver


@dataclass(frozen=True)
class Delivery:
    """A message under one GUID; every attempt at sending it carries the same bytes."""

    guid: str
    event: str
    action: str | None
    body: bytes
    installation_id: int
    repository_id: int | None


@dataclass(frozen=True)
class Attempt:
    id: int
    delivery: Delivery
    at: datetime
    redelivery: bool
    seconds: float
    status: str
    status_code: int


class Webhooks:
    """The queue, its one sender thread and the log of attempts, newest last."""

    def __init__(self, *, secret: str, app_id: int, faults: Faults, clock: Callable[[], datetime]) -> None:
        self.attempts: list[Attempt] = []
        self.more_headers: dict[str, str] = {}
        self._secret = secret
        self._app_id = app_id
        self._faults = faults
        self._clock = clock
        self._waiting: deque[tuple[Delivery, bool]] = deque()
        self._held: list[tuple[Delivery, bool]] = []
        self._sending = 0
        self._changed = threading.Condition()
        self._url: str | None = None
        self._configured: str | None = None
        self._stopped = True
        self._thread: threading.Thread | None = None

    def emit(self, event: str, payload: dict[str, Any], *, installation_id: int, repository_id: int | None) -> Delivery:
        """Queue one message. `action` is read from the payload."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        delivery = Delivery(str(uuid.uuid4()), event, payload.get("action"), body, installation_id, repository_id)
        self._enqueue(delivery, redelivery=False)
        return delivery

    def redeliver(self, attempt_id: int) -> bool:
        """Send the message of one attempt again under its GUID; False when there is no such attempt."""
        found = next((attempt for attempt in self.attempts if attempt.id == attempt_id), None)
        if found is not None:
            self._enqueue(found.delivery, redelivery=True)
        return found is not None

    def deliver_to(self, url: str | None) -> None:
        """Where messages go from now on; None holds them back. Those queued before are sent too."""
        with self._changed:
            self._url = url
            self._changed.notify_all()

    def drain(self, timeout: float) -> bool:
        """Wait until every queued message was attempted; False when `timeout` seconds were not enough."""
        with self._changed:
            self._release()
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)

    @property
    def url(self) -> str | None:
        """What the App's webhook is set to."""
        return self._configured or self._url

    def point_at(self, url: str | None, *, secret: str) -> None:
        """A new address and secret of the App's webhook; `deliver_to` says when it is sent to."""
        with self._changed:
            self._configured, self._secret = url, secret

    def start(self) -> None:
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="stand-in-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=_ANSWER_SECONDS + 1)

    def headers(self, delivery: Delivery) -> dict[str, str]:
        digest = hmac.new(self._secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/stand-in",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(self._app_id),
            "X-GitHub-Hook-Installation-Target-ID": str(self._app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": f"sha256={digest}",
            **self.more_headers,
        }

    def _enqueue(self, delivery: Delivery, *, redelivery: bool) -> None:
        with self._changed:
            if self._faults.take_delivery("reorder"):
                self._held.append((delivery, redelivery))
                if self._faults.reorder == 0:
                    self._release()
            else:
                self._waiting.append((delivery, redelivery))
            self._changed.notify_all()

    def _release(self) -> None:
        """Let what `reorder` held back go, last first."""
        self._waiting.extend(reversed(self._held))
        self._held.clear()
        self._changed.notify_all()

    def _run(self) -> None:
        with httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False) as client:
            while (taken := self._next()) is not None:
                delivery, redelivery, url = taken
                try:
                    self._send(client, delivery, url, redelivery=redelivery)
                finally:
                    with self._changed:
                        self._sending -= 1
                        self._changed.notify_all()

    def _next(self) -> tuple[Delivery, bool, str] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or (self._waiting and self._url is not None))
            if self._stopped or self._url is None:
                return None
            delivery, redelivery = self._waiting.popleft()
            self._sending += 1
            return delivery, redelivery, self._url

    def _send(self, client: httpx.Client, delivery: Delivery, url: str, *, redelivery: bool) -> None:
        if self._faults.delay_seconds:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, self._faults.delay_seconds)
        if not redelivery and self._faults.take_delivery("drop"):
            self._log(delivery, redelivery, 0.0, "failed to connect to host", 0)
            return
        times = 2 if self._faults.take_delivery("duplicate") else 1
        for _ in range(times):
            began = time.monotonic()
            status, code = self._post(client, delivery, url)
            self._log(delivery, redelivery, time.monotonic() - began, status, code)

    def _post(self, client: httpx.Client, delivery: Delivery, url: str) -> tuple[str, int]:
        try:
            answer = client.post(url, content=delivery.body, headers=self.headers(delivery))
        except httpx.TimeoutException:
            return "timed out", 0
        except httpx.TransportError:
            return "failed to connect to host", 0
        return ("OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"), answer.status_code

    def _log(self, delivery: Delivery, redelivery: bool, seconds: float, status: str, code: int) -> None:
        with self._changed:
            number = 100_000 + len(self.attempts)
            self.attempts.append(Attempt(number, delivery, self._clock(), redelivery, seconds, status, code))
