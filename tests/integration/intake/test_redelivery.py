"""What GitHub failed to deliver is asked for again; what is old is forgotten. Against the stand-in GitHub."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.store.columns import utc_now
from app.store.database import reading
from app.store.tables import DeliveryRow
from app.workflows import engine, upkeep
from app.workflows.runs import Queue, State
from tests.integration.intake.conftest import HOST, Service, a_payload, running, settings_for, wait_outcome
from tests.integration.rehearsal.standin.world import REPO, SECRET, small_world
from tests.waiting import eventually


def test_dropped_deliveries_converge(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        (tmp_path / "key.pem").write_text(world.standin.private_key_pem)
        settings = settings_for(
            f"sqlite:///{tmp_path / 'understudy.db'}",
            tmp_path,
            webhook_secrets=(SECRET + " long enough", SECRET),
            app_id=world.standin.app_id,
            github_api_url=world.server.base_url,
            github_git_url=world.server.base_url,
            write_pause_seconds=0,
        )
        with running(settings) as service:
            world.server.deliver_to(f"{service.url}/webhooks")
            number = world.standin.open_pull_request(
                REPO, author="wes", title="One", body="", head_ref="feature", base_sha=world.base_sha
            )
            world.server.drain()
            # Handling them made the installation known, too.
            eventually(lambda: (status := service.status()["deliveries"]) and "waiting" not in status)
            assert asyncio.run(upkeep.request_missed()) == 0
            world.standin.faults.drop = 2
            world.standin.label(REPO, number, "understudy:approve", by="wes")
            world.standin.unlabel(REPO, number, "understudy:approve", by="wes")
            world.server.drain()
            assert asyncio.run(upkeep.request_missed()) == 2
            world.server.drain()
            eventually(lambda: len(engine.list_runs(tuple(State), id_prefix="curate:")) == 2)
            assert asyncio.run(upkeep.request_missed()) == 0


def test_old_bodies_and_workflows_are_forgotten_and_guids_are_not(service: Service) -> None:
    service.deliver(a_payload(), guid="old-00000001")
    wait_outcome(service, "old-00000001")
    engine.start("delivery", "delivery:old", f"{HOST}:old-00000001", queue=Queue.INTAKE)
    eventually(lambda: engine.list_runs((State.SUCCESS,), id_prefix="delivery:"))
    # The clock's own workflow, now and as it will be a month from now: 30 days are kept.
    for name, days in (("today", 0), ("in a month", 31)):
        at = (utc_now() + timedelta(days=days)).isoformat()
        engine.start("retention", name, at, "", queue=Queue.INTAKE)
        engine.wait(name)
        remembered = engine.list_runs((State.SUCCESS,), id_prefix="delivery:")
        assert len(remembered) == (1 if days == 0 else 0)
    with reading(engine.database()) as session:
        assert session.exec(select(DeliveryRow.body)).one() == b""
    assert service.deliver(a_payload(), guid="old-00000001").status_code == 200


def test_without_an_installation_nobody_is_asked(service: Service) -> None:
    assert asyncio.run(upkeep.request_missed()) == 0


@pytest.mark.parametrize("name", ["retention", "redelivery"])
def test_upkeep_is_scheduled(name: str) -> None:
    from app.workflows.engine.process import SCHEDULES

    assert name in SCHEDULES
