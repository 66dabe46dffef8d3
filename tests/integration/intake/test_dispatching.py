"""Stored deliveries become work exactly once, in order, and one that we choke on stops no other."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session

from app.main import boot, shutdown
from app.store.database import reading, writing
from app.store.deliveries import load_delivery, save_deliveries
from app.store.tables import DeliveryRow
from app.workflows import deliveries, dispatching, engine
from app.workflows.runs import FAILED, Queue, State
from tests.integration.intake.conftest import HOST, Service, a_payload, running, settings_for, wait_outcome
from tests.waiting import eventually


def _outcome(guid: str) -> str | None:
    with reading(engine.database()) as session:
        row = load_delivery(session, guid)
    return None if row is None else row.outcome


def test_what_a_dead_process_left_is_handled_by_the_next(empty_database_url: str, tmp_path: Path) -> None:
    with running(settings_for(empty_database_url, tmp_path), queues=(Queue.GITHUB,)) as web:
        assert web.deliver(a_payload(), guid="kept-00000001").status_code == 202
        assert web.status()["deliveries"] == {"waiting": 1}
    with running(settings_for(empty_database_url, tmp_path)) as worker:
        assert wait_outcome(worker, "kept-00000001") == "enqueued: review, look_at_head"


def test_many_that_dispatch_at_once_handle_each_delivery_once(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[str] = []
    act = deliveries.act

    def counting(session: Session, row: DeliveryRow) -> str:
        handled.append(row.guid)
        return act(session, row)

    monkeypatch.setattr(dispatching, "act", counting)
    boot(settings_for(empty_database_url, tmp_path), queues=(Queue.GITHUB,))
    try:
        guids = [f"{HOST}:{number:08}" for number in range(40)]
        with writing(engine.database()) as session:
            save_deliveries(session, [_waiting(guid, number) for number, guid in enumerate(guids)])
        with ThreadPoolExecutor(4) as pool:
            # all four end before the next four begin: one that ran on could hold what these find nobody to do
            while any([*pool.map(lambda _: dispatching.dispatch(engine.database()), range(4))]):
                pass
        assert sorted(handled) == guids
        assert {_outcome(guid) for guid in guids} == {"enqueued: review, look_at_head"}
        assert len(engine.list_runs(tuple(State), id_prefix="review:")) == len(guids)
    finally:
        shutdown()


def _waiting(guid: str, number: int) -> DeliveryRow:
    body = json.dumps(a_payload(number=number + 1)).encode()
    return DeliveryRow(guid=guid, event="pull_request", action="opened", installation_id=11, body=body)


def test_one_that_cannot_be_handled_is_shown_and_stops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = deliveries.act

    def choking(session: Session, row: DeliveryRow) -> str:
        outcome = act(session, row)
        if row.guid.endswith("poison-1"):
            raise ZeroDivisionError("a defect of ours, with a secret in its words")
        return outcome

    monkeypatch.setattr(dispatching, "act", choking)
    monkeypatch.setattr(deliveries, "act", choking)
    service.deliver(a_payload(number=1), guid="poison-1")
    service.deliver(a_payload(number=2), guid="sound-01")
    assert wait_outcome(service, "sound-01") == "enqueued: review, look_at_head"
    assert wait_outcome(service, "poison-1") == "failed: ZeroDivisionError"
    failed = eventually(lambda: engine.list_runs(FAILED, id_prefix="delivery:"))
    assert [run.id for run in failed] == [f"delivery:{HOST}:poison-1"]
    reviews = engine.list_runs(tuple(State), id_prefix="review:")
    assert [run.id.split(":")[3] for run in reviews] == ["2"], "what the broken one had begun is undone"
    monkeypatch.setattr(deliveries, "act", act)  # the release that mends it
    service.operator("POST", f"/retry/delivery:{HOST}:poison-1")
    eventually(lambda: _outcome(f"{HOST}:poison-1") == "enqueued: review, look_at_head")
