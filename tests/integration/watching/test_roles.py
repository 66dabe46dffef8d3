"""Three processes with roles on one PostgreSQL: who does what, and who goes on when one is killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from app.store.database import open_engine
from tests.integration.team import REPO
from tests.integration.watching.watched import (
    CHECKOUT,
    Talking,
    Watched,
    model_server,
    wait_for,
    watched_service,
)
from tests.ports import free_port
from tests.takeovers import load_takeover_seconds
from tests.waiting import eventually

_TAKEOVER_SECONDS = 15.0


@contextmanager
def _processes(watched: Watched, *roles: str) -> Iterator[dict[int, tuple[str, str]]]:
    """pid → role and address, of `python -m app serve` once each is ready."""
    started: list[subprocess.Popen[bytes]] = []
    found: dict[int, tuple[str, str]] = {}
    try:
        for number, role in enumerate(roles):
            port = watched.environment["UNDERSTUDY_PORT"] if role == "web" else str(free_port())
            environment = watched.environment | {"UNDERSTUDY_ROLE": role, "UNDERSTUDY_PORT": port}
            with (watched.folder / f"{role}-{number}.log").open("wb") as out:
                command = [sys.executable, "-m", "app", "serve"]
                started.append(subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=out, stderr=out))
            found[started[-1].pid] = (role, f"http://127.0.0.1:{port}")
        eventually(lambda: all(_is_ready(url) for _, url in found.values()), 120)
        yield found
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics", timeout=30).text


def _holder(url: str) -> int | None:
    """The process that runs the review, by the executor's id, which holds it."""
    database = open_engine(url)
    query = "select executor_id from dbos.workflow_status where name = 'review' and status = 'PENDING'"
    with database.connect() as connection:
        executor = connection.execute(sa.text(query)).scalar()
    database.dispose()
    return None if executor is None else int(str(executor).rsplit("-", 2)[1])


def test_a_trainer_starts_without_a_secret(empty_postgres: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")} | {
        "UNDERSTUDY_ROLE": "gpu",
        "UNDERSTUDY_APP_ID": "1",
        "UNDERSTUDY_DATABASE_URL": empty_postgres,
        "UNDERSTUDY_DATA": str(tmp_path / "data"),
        "UNDERSTUDY_PRIVATE_KEY_FILE": "/secrets/private-key.pem",
        "UNDERSTUDY_PORT": str(port),
    }
    with (tmp_path / "gpu.log").open("wb") as out:
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=out, stderr=out)
    try:
        eventually(lambda: _is_ready(url), 60)
        assert httpx.get(f"{url}/healthz", timeout=30).json()["parts"]["queues"] == "ok"
        assert httpx.post(f"{url}/webhooks", timeout=30).status_code == 404
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.slow
def test_a_killed_workers_review_is_finished_by_its_peer_and_stands_once(empty_postgres: str, tmp_path: Path) -> None:
    talking = Talking()
    talking.go_on.clear()
    with (
        model_server(tmp_path, talking) as state,
        watched_service(tmp_path, state, UNDERSTUDY_DATABASE_URL=empty_postgres) as watched,
        _processes(watched, "web", "worker", "worker") as processes,
    ):
        web, *workers = processes
        for pid in workers:  # nobody but the web role answers webhooks
            assert httpx.post(f"{processes[pid][1]}/webhooks", timeout=30).status_code == 404
            assert httpx.get(f"{processes[pid][1]}/healthz", timeout=30).json()["parts"]["queues"] == "ok"
        with watched.standin.lock:
            watched.standin.emit_installation("created", watched.standin.add_user("root"))
        number, sha = watched.open("work(order)")
        wait_for(lambda: talking.answered)
        holder = eventually(lambda: _holder(empty_postgres))
        assert holder in workers
        assert holder != web
        subprocess.run(["kill", "-9", str(holder)], check=True)
        wait_for(lambda: len(talking.answered) > 1, 60)
        seconds = eventually(lambda: load_takeover_seconds(empty_postgres, holder))
        talking.release()
        bot = f"{watched.standin.slug}[bot]"
        wait_for(lambda: any(run["status"] == "completed" for run in watched.standin.check_runs(REPO, sha)))
        assert seconds <= _TAKEOVER_SECONDS
        print(f"taken over {seconds:.1f} s after the last sign of life")  # noqa: T201 - a figure of the project
        assert len(watched.standin.reviews(REPO, number, author=bot)) == 1
        assert len(watched.standin.check_runs(REPO, sha)) == 1
        wait_for(lambda: 'understudy_reviews{state="posted"} 1.0' in _metrics(processes[web][1]))
        assert "understudy_processes 2.0" in _metrics(processes[web][1])
