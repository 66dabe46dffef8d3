"""/healthz, /readyz and /metrics of a service that runs here: what makes each of them say no."""

from collections.abc import Iterator

import httpx
import pytest

from app.workflows import engine, readiness
from app.workflows.engine import health
from app.workflows.runs import Queue, State
from tests.integration.intake.conftest import Service, running, settings_for

_TOKEN = "a-token-of-the-scraper"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As the role web has it: no queue is worked on."""
    folder = tmp_path_factory.mktemp("health")
    settings = settings_for(f"sqlite:///{folder / 'understudy.db'}", folder, metrics_token=_TOKEN)
    with running(settings, queues=()) as started:
        yield started


def _ask(service: Service, path: str, token: str | None = None) -> httpx.Response:
    return httpx.get(
        f"{service.url}{path}", headers={} if token is None else {"authorization": f"Bearer {token}"}, timeout=30
    )


def test_all_is_well_without_queues_and_without_a_model(service: Service) -> None:
    alive = _ask(service, "/healthz")
    assert (alive.status_code, set(alive.json()["parts"].values())) == (200, {"ok"})
    ready = _ask(service, "/readyz")
    assert (ready.status_code, ready.json()["information"]) == (200, {"model": "away"})


def test_work_for_a_process_without_queues_waits(service: Service) -> None:
    engine.start("delivery", "delivery:nobody", "nobody", queue=Queue.INTAKE)
    told = _ask(service, "/metrics", _TOKEN).text
    assert 'understudy_queue_depth{queue="intake",state="ENQUEUED"}' in told
    run = engine.load_run("delivery:nobody")
    assert run is not None
    assert run.state is State.ENQUEUED


def test_a_queue_that_nobody_looks_at_ends_the_process(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "seconds_since_polls", lambda: {"github": health.POLL_SILENCE_SECONDS + 1})
    alive = _ask(service, "/healthz")
    assert alive.status_code == 503
    assert alive.json()["parts"]["queues"] == "not looked at for 180 s: github"
    assert _ask(service, "/readyz").status_code == 200


def test_a_thread_that_ended_ends_the_process(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "count_lasting", lambda: 1)
    assert _ask(service, "/healthz").status_code == 503


def test_a_full_disk_sends_traffic_elsewhere(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", 2**60)
    ready = _ask(service, "/readyz")
    assert ready.status_code == 503
    assert "MiB left, expected" in ready.json()["parts"]["disk"]
    assert _ask(service, "/healthz").status_code == 200


@pytest.mark.parametrize("token", [None, "canary-operator-token-0123456789"])
def test_figures_have_a_token_of_their_own(service: Service, token: str | None) -> None:
    assert _ask(service, "/metrics", token).status_code == 401
