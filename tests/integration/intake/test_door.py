"""Who comes in, and what is answered. One service for all: nothing here changes it."""

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.workflows import engine
from tests.integration.intake.conftest import (
    BODY_LIMIT_BYTES,
    HOST,
    SECRETS,
    TOKEN,
    Service,
    a_payload,
    sign,
    stored,
    wait_outcome,
)


@pytest.mark.parametrize("secret", SECRETS)
def test_both_secrets_are_good_during_a_rotation(shared_service: Service, secret: str) -> None:
    assert shared_service.deliver(a_payload(), secret=secret).status_code == 202


_SHA1 = "sha1=" + "0" * 40


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({"x-hub-signature-256": ""}, 401, "signature"),
        ({"x-hub-signature-256": "", "x-hub-signature": _SHA1}, 401, "signature"),
        ({"x-hub-signature-256": _SHA1}, 401, "signature"),
        ({"x-hub-signature-256": "sha256=" + "0" * 64}, 401, "signature"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "content_type"),
        ({"content-type": "text/plain"}, 415, "content_type"),
        ({"x-github-event": ""}, 400, "headers"),
        ({"x-github-delivery": ""}, 400, "headers"),
    ],
)
def test_what_is_not_from_github_is_refused(
    shared_service: Service, headers: dict[str, str], status: int, error: str
) -> None:
    guid = headers.get("x-github-delivery", str(uuid.uuid4()))
    answer = shared_service.deliver(a_payload(), guid=guid, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert stored(shared_service, guid) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"payload=%7B%7D"])
def test_a_signed_body_that_is_no_json_object_is_refused(shared_service: Service, body: bytes) -> None:
    answer = shared_service.deliver(body)
    assert (answer.status_code, answer.json()["error"]) == (400, "json")


def test_the_signature_covers_the_raw_bytes(shared_service: Service) -> None:
    headers = sign(b'{"a": 1}', SECRETS[0])
    answer = shared_service.deliver(b'{"a":1}', headers=headers)
    assert answer.status_code == 401


def _begin_delivery(service: Service, signature: str) -> socket.socket:
    """A delivery whose body never ends."""
    address = httpx.URL(service.url)
    connection = socket.create_connection((address.host, address.port or 80), timeout=30)
    head = (
        "POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-github-event: ping\r\n"
        f"x-github-delivery: {uuid.uuid4()}\r\n{signature}content-length: 90000\r\n\r\n"
    )
    connection.sendall(head.encode() + b"x" * 1000)
    return connection


@pytest.mark.parametrize("signature", ["", "x-hub-signature-256: sha256=0\r\n"])
def test_an_unsigned_body_is_not_waited_for(shared_service: Service, signature: str) -> None:
    before = time.monotonic()
    with _begin_delivery(shared_service, signature) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - before < 5


@pytest.mark.slow
def test_a_body_that_never_ends_is_given_up(shared_service: Service) -> None:
    with _begin_delivery(shared_service, f"x-hub-signature-256: sha256={'0' * 64}\r\n") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_body_over_the_cap_is_refused_while_it_streams(shared_service: Service) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 10_000
            yield b" " * 10_000

    headers = sign(b"", SECRETS[0]) | {"x-github-event": "push", "x-github-delivery": str(uuid.uuid4())}
    try:
        answer = httpx.post(f"{shared_service.url}/webhooks", content=endless(), headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    except (httpx.WriteError, httpx.ReadError):
        pass  # the door closed while we were still pushing: refused all the same
    assert sent < 10_000 * 10_000
    exact = b"{" + b" " * (BODY_LIMIT_BYTES - 2) + b"}"
    assert shared_service.deliver(exact).status_code == 202
    assert shared_service.deliver(exact + b" ").status_code == 413


@pytest.mark.parametrize(
    ("event", "changes", "outcome"),
    [
        ("workflow_run", {}, "ignored: unused event"),
        ("an_event_of_tomorrow", {}, "ignored: unused event"),
        ("pull_request", {"sender": {"id": 9, "login": "understudy[bot]", "type": "Bot"}}, "ignored: own act"),
    ],
)
def test_what_we_do_not_use_is_kept_and_ignored(
    shared_service: Service, event: str, changes: dict[str, Any], outcome: str
) -> None:
    guid = str(uuid.uuid4())
    answer = shared_service.deliver(a_payload(**changes), event=event, guid=guid)
    assert (answer.status_code, answer.json()["outcome"]) == (202, outcome)
    row = stored(shared_service, guid)
    assert row is not None
    assert row.outcome == outcome
    assert row.handled_at is not None
    assert engine.load_run(f"delivery:{HOST}:{guid}") is None


def test_a_payload_that_lacks_what_we_need_is_kept_and_named(shared_service: Service) -> None:
    guid = str(uuid.uuid4())
    assert shared_service.deliver(a_payload(pull_request={"number": 1}), guid=guid).status_code == 202
    outcome = wait_outcome(shared_service, guid)
    assert outcome == "refused: a pull_request event lacks what we need: pull_request.head: missing"


def test_the_operator_must_show_the_token(shared_service: Service) -> None:
    for token in ("", "wrong", TOKEN + "x", TOKEN[:-1]):
        answer = shared_service.operator("GET", "/status", token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert shared_service.operator("GET", "/status").status_code == 200
