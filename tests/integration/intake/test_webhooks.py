"""What is durably true when a delivery is answered, and what becomes of it."""

import logging
import random
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.store.database import open_engine, reading
from app.store.deliveries import load_installation
from app.workflows import engine
from app.workflows.runs import State
from tests.integration.intake.conftest import (
    HOST,
    SECRETS,
    TOKEN,
    Service,
    ServiceProgram,
    a_payload,
    running,
    settings_for,
    sign,
    stored,
    wait_outcome,
)
from tests.postgres import PostgresServer
from tests.waiting import eventually


def test_a_delivery_is_stored_as_it_came_and_starts_its_work(service: Service) -> None:
    guid = str(uuid.uuid4())
    answer = service.deliver(a_payload(), guid=guid)
    assert (answer.status_code, answer.json()) == (202, {"delivery": f"{HOST}:{guid}", "outcome": "accepted"})
    row = stored(service, guid)
    assert row is not None
    assert row.body == answer.request.content
    assert (row.event, row.action, row.installation_id) == ("pull_request", "opened", 11)
    assert wait_outcome(service, guid) == "enqueued: review, look_at_head"
    review = engine.load_run(f"review:{HOST}:5:7:{'a' * 40}")
    assert review is not None
    assert (review.state, review.queue) == (State.ENQUEUED, "github")


def test_a_duplicate_is_answered_200_and_has_no_effect(service: Service) -> None:
    guid = str(uuid.uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.deliver(a_payload(), guid=guid), range(8)))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 200: 7}
    wait_outcome(service, guid)
    late = service.deliver(a_payload(), guid=guid)
    assert (late.status_code, late.json()["outcome"]) == (200, "duplicate")
    runs = engine.list_runs(tuple(State), id_prefix="review:")
    assert [run.id for run in runs] == [f"review:{HOST}:5:7:{'a' * 40}"]


def test_a_suspended_installation_is_left_alone_until_it_comes_back(service: Service) -> None:
    account = {"id": 3, "login": "acme", "type": "Organization"}
    installation = {"id": 11, "account": account, "permissions": {"contents": "read"}}

    def tell(event: str, payload: dict[str, Any]) -> str:
        guid = str(uuid.uuid4())
        service.deliver(payload, event=event, guid=guid)
        return wait_outcome(service, guid)

    lifecycle = a_payload("suspend", installation=installation)
    assert tell("installation", lifecycle) == "installation: suspended"
    assert tell("pull_request", a_payload(number=1)) == "ignored: installation is suspended"
    assert tell("installation", lifecycle | {"action": "unsuspend"}) == "installation: active"
    assert tell("pull_request", a_payload(number=2)) == "enqueued: review, look_at_head"
    with reading(engine.database()) as session:
        row = load_installation(session, 11)
    assert row is not None
    assert (row.account, row.permissions) == ("acme", {"contents": "read"})


def test_a_deleted_installation_stays_deleted_whatever_comes_late(service: Service) -> None:
    def tell(action: str) -> str:
        guid, account = str(uuid.uuid4()), {"id": 3, "login": "acme", "type": "Organization"}
        installation = {"id": 12, "account": account, "permissions": {}}
        service.deliver(a_payload(action, installation=installation), event="installation", guid=guid)
        return wait_outcome(service, guid)

    assert tell("deleted") == "installation: deleted"
    assert [tell(action) for action in ("created", "unsuspend")] == ["ignored: installation is deleted"] * 2
    with reading(engine.database()) as session:
        row = load_installation(session, 12)
    assert row is not None
    assert row.state == "deleted"


def test_what_cannot_be_stored_is_never_acknowledged(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """PostgreSQL goes away and comes back; the service lives on and needs no restart."""
    with running(settings_for(postgres_server.create_database(), tmp_path)) as service:
        assert httpx.get(f"{service.url}/readyz", timeout=30).status_code == 200
        postgres_server.stop()
        try:
            answer = service.deliver(a_payload(), guid="lost-00000001")
            assert (answer.status_code, answer.json()["error"]) == (503, "not_stored")
            assert answer.headers["retry-after"] == "10"
            assert httpx.get(f"{service.url}/readyz", timeout=30).status_code == 503
            assert httpx.get(f"{service.url}/healthz", timeout=30).status_code == 200
        finally:
            postgres_server.start()
        assert service.deliver(a_payload(), guid="lost-00000001").status_code == 202
        assert wait_outcome(service, "lost-00000001", 40) == "enqueued: review, look_at_head"


def test_no_payload_and_no_secret_reaches_a_log(
    service: Service, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary-in-the-payload"
    service.deliver(a_payload(title=canary))
    service.deliver(a_payload(pull_request={"number": canary, "head": canary}))
    service.deliver(a_payload(title=canary), secret="canary-of-a-stranger-0123")
    service.deliver(f'{{"broken {canary}'.encode())
    service.operator("GET", "/status", token="canary-guessed-token")
    eventually(lambda: not service.status()["deliveries"].get("waiting"))
    logged = caplog.text + "".join(capfd.readouterr())
    assert "POST /webhooks" in logged  # something was logged at all
    assert canary not in logged
    for secret in (*SECRETS, TOKEN, "canary-of-a-stranger", "canary-guessed-token", "PRIVATE KEY"):
        assert secret not in logged


def test_who_hangs_up_in_the_middle_is_no_error_of_ours(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
    headers = sign(b"x", SECRETS[0]) | {"x-github-event": "push", "x-github-delivery": "12345678-hung"}
    headers |= {"host": "here", "content-length": "1000"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", int(service.url.rsplit(":", 1)[1]))) as caller:
        caller.sendall(f"POST /webhooks HTTP/1.1\r\n{head}\r\nhalf".encode())
        caller.shutdown(socket.SHUT_WR)
        while caller.recv(1000):
            pass  # until the service has closed it, too
    assert service.deliver(a_payload()).status_code == 202
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_operator_sees_counts_and_starts_trainings(service: Service) -> None:
    assert service.operator("POST", "/installations/11/train").status_code == 409
    service.deliver(a_payload())
    service.deliver(a_payload(), event="workflow_run")
    eventually(lambda: not service.status()["deliveries"].get("waiting"))
    answer = service.operator("POST", "/installations/11/train")
    assert answer.status_code == 202
    workflow = answer.json()["workflow"]
    status = service.status()
    assert status["deliveries"] == {"enqueued": 1, "ignored": 1}
    assert status["rows"]["us_delivery"] == 2
    assert {run["id"] for run in status["running"]} >= {workflow}
    assert service.operator("POST", f"/cancel/{workflow}").status_code == 202
    assert engine.load_run(workflow).state is State.CANCELLED  # type: ignore[union-attr]
    assert service.operator("POST", f"/retry/{workflow}").status_code == 202
    assert service.operator("POST", "/retry/nothing").status_code == 409


def test_many_senders_each_delivery_three_times_shuffled(service: Service) -> None:
    """The benchmark's shape, reduced: every delivery has one effect, none is lost."""
    guids = [str(uuid.uuid4()) for _ in range(60)]
    sendings = [(guid, number) for number, guid in enumerate(guids)] * 3
    random.shuffle(sendings)

    def send(sending: tuple[str, int]) -> int:
        return service.deliver(a_payload(number=sending[1] + 1), guid=sending[0]).status_code

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(send, sendings)) == {202: 60, 200: 120}
    eventually(lambda: service.status()["deliveries"] == {"enqueued": 60}, timeout_seconds=60)
    assert len(engine.list_runs((State.ENQUEUED,), id_prefix="review:")) == 60


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9_and_is_handled_once(tmp_path: Path) -> None:
    """The program is killed while twenty senders push; whoever saw no answer sends again, as redelivery would."""
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    guids = [str(uuid.uuid4()) for _ in range(100)]
    program = ServiceProgram(url, tmp_path)
    with program.running() as service:
        before = _deliver_all(service, guids, kill=program.kill)
    with program.running() as service:
        after = _deliver_all(service, guids)
        eventually(lambda: service.status()["deliveries"] == {"enqueued": len(guids)}, timeout_seconds=60)
        assert before <= after
    assert len(before) < len(guids)  # it was killed in the middle
    acknowledged = after
    assert acknowledged == set(guids)
    database = open_engine(url)
    with reading(database) as session:
        reviews = session.connection().execute(
            sa.text("select count(*) from workflow_status where workflow_uuid like 'review:%'")
        )
        assert reviews.scalar_one() == len(guids)
    database.dispose()


def _deliver_all(service: Service, guids: list[str], kill: Callable[[], None] | None = None) -> set[str]:
    """Which were acknowledged. With `kill`, that is called when a good part of them is; the last come after it."""
    killed = threading.Event()

    def send(guid: str, number: int) -> str | None:
        if kill is not None and number > len(guids) - 20:
            killed.wait()
        return _try_delivering(service, guid, number)

    with ThreadPoolExecutor(20) as pool:
        sendings = [pool.submit(send, guid, number + 1) for number, guid in enumerate(guids)]
        try:
            if kill is not None:
                eventually(lambda: sum(each.done() for each in sendings) >= 30, 60)
                kill()
        finally:
            killed.set()
        return {guid for each in sendings if (guid := each.result()) is not None}


def _try_delivering(service: Service, guid: str, number: int) -> str | None:
    """The GUID if it was acknowledged; None when the service was killed before it could answer."""
    try:
        answer = service.deliver(a_payload(number=number), guid=guid)
    except httpx.TransportError:
        return None
    return guid if answer.status_code in (200, 202) else None
