"""kill -9, again and again, under deliveries that each come twice.

`python -m tests.benchmarks.kills [--database sqlite|postgresql] [--deliveries 500] [--kills 30] [--per-second 4]` lets
the real services review pull requests of the stand-in GitHub while one of them is killed 0.7 to 2.5 seconds after it
got ready: the only one on SQLite, any of three on PostgreSQL. A killed service is started again at once. Senders repeat
what was not acknowledged. It prints one JSON object. To reach: 0 lost, every effect exactly once, exactly one review
and one check run for each pull request, all done at most 30 s after the last kill, a dead worker's work taken over
within 15 s.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from app.rehearsal.standin import StandIn, StandInServer
from app.review.messages import CHECK_NAME
from app.store.database import open_engine, reading
from app.store.tables import DeliveryRow, ExecutorRow, ReviewRow
from tests.benchmarks.killed_service import Told
from tests.integration.intake.conftest import SECRETS, a_payload, sign
from tests.integration.review.printing import PRINTING
from tests.integration.team import REPO, SERVICE, Worktree
from tests.postgres import PostgresServer

_INSTALLATIONS = 8  # a dead worker holds up those whose work it had, so there are several
_LIFE_SECONDS = (0.7, 2.5)
_DONE_SECONDS = 300
_DICE = random.SystemRandom()
_CHECKOUT = Path(__file__).parents[2]


@dataclass
class World:
    """The stand-in and a pull request for each delivery: its GUID, and what its webhook says."""

    standin: StandIn
    webhooks: list[tuple[str, bytes]] = field(default_factory=list)


@contextmanager
def made_world(folder: Path, deliveries: int) -> Iterator[tuple[World, str]]:
    """With the address of its API."""
    standin = StandIn(folder / "github", webhook_secret=SECRETS[0])
    standin.add_repository(REPO)
    work = Worktree(folder / "work", standin.bare_path(REPO))
    first = work.commit("main", {"service.py": SERVICE})
    tree = work.git("rev-parse", f"{work.commit('printing', {'service.py': PRINTING}, start=first)}^{{tree}}")
    standin.limits.core.limit = standin.limits.graphql.limit = 10_000_000
    standin.limits.contents_per_minute = standin.limits.contents_per_hour = None
    world = World(standin)
    with StandInServer(standin) as server, standin.silence():
        for number in range(1, deliveries + 1):
            sha = work.git("commit-tree", tree, "-p", first, "-m", f"Work {number}")
            work.git("update-ref", f"refs/heads/work-{number}", sha)
        work.git("push", "-q", str(standin.bare_path(REPO)), "refs/heads/*:refs/heads/*")
        for number in range(1, deliveries + 1):
            world.webhooks.append((str(uuid.uuid4()), _open(standin, work, first, number)))
        yield world, server.base_url


def _open(standin: StandIn, work: Worktree, first: str, number: int) -> bytes:
    sha = work.git("rev-parse", f"refs/heads/work-{number}")
    standin.open_pull_request(
        REPO, author="dev", title="Work", head_ref=f"work-{number}", head_sha=sha, base_sha=first, number=number
    )
    owner, _ = REPO.split("/")
    payload = a_payload(
        number=number,
        installation={"id": 1_000 + number % _INSTALLATIONS},
        repository={
            "id": standin.repository(REPO).id,
            "full_name": REPO,
            "owner": {"id": 3, "login": owner, "type": "Organization"},
        },
        pull_request={"number": number, "head": {"sha": sha}, "draft": False, "merged": False},
    )
    return json.dumps(payload).encode()


class Services:
    """The services of one database, each behind a socket that outlives it."""

    def __init__(self, folder: Path, database: str, world: World, api_url: str, count: int) -> None:
        self._sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self.ports = [one.getsockname()[1] for one in self._sockets]
        key = folder / "app.pem"
        key.write_text(world.standin.private_key_pem)
        numbers = tuple(one.fileno() for one in self._sockets)
        told = Told(
            database=database,
            api_url=api_url,
            app_id=world.standin.app_id,
            app_slug=world.standin.slug,
            private_key_file=key,
            installation_id=world.standin.installation_id,
            sockets=numbers,
        )
        (folder / "told.json").write_text(told.model_dump_json())
        command = [sys.executable, "-m", "tests.benchmarks.killed_service", str(folder)]
        self._log = folder / "services.log"
        with self._log.open("ab") as log:
            self._program = subprocess.Popen(
                command,
                cwd=_CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                pass_fds=numbers,
            )
        self._pids = [self._start(index) for index in range(count)]
        self.killed: dict[int, float] = {}

    def _start(self, index: int) -> int:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{index}\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())

    def kill_one(self) -> None:
        """Any of them, a while after it is ready; the next one begins at once."""
        index = _DICE.randrange(len(self._pids))
        _wait_ready(self.ports[index])
        time.sleep(_DICE.uniform(*_LIFE_SECONDS))
        pid = self._pids[index]
        self.killed[pid] = time.time()
        if not _kill(pid):
            raise RuntimeError(f"expected the service {pid} to live until it is killed; {self._log} says why it ended")
        self._pids[index] = self._start(index)

    def close(self) -> None:
        for pid in self._pids:
            _kill(pid)
        self._program.kill()
        self._program.communicate()
        for one in self._sockets:
            one.close()


def _wait_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise TimeoutError("expected a service that is ready within a minute, got none; see services.log")


def _kill(pid: int) -> bool:
    """False when it is dead already. Waits until the kernel gave its locks back, as whoever restarts services does."""
    for attempt in itertools.count():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return attempt > 0
        time.sleep(0.005)
    raise AssertionError("unreachable")


def measure(database: str, folder: Path, *, deliveries: int, kills: int, services: int, rate: float) -> dict[str, Any]:
    """Every figure of one run on an empty database. Times are seconds."""
    with made_world(folder, deliveries) as (world, api_url):
        running = Services(folder, database, world, api_url, services)
        try:
            began = time.monotonic()
            sending = threading.Thread(target=_send_all, args=(world, running.ports, rate), daemon=True)
            sending.start()
            _wait_any(database)
            while sending.is_alive() or len(running.killed) < kills:
                running.kill_one()
            last = time.monotonic()
            _wait_done(database, deliveries)
            done = time.monotonic()
        finally:
            running.close()
        report = _count(database, world)
    return report | {
        "kills": len(running.killed),
        "under_kills_seconds": round(last - began, 1),
        "done_after_last_kill_seconds": round(done - last, 1),
        "longest_takeover_seconds": _longest_takeover(database, running.killed),
    }


def _send_all(world: World, ports: list[int], rate: float) -> None:
    """Each webhook twice, in any order within fifty, so many distinct ones a second."""
    waves = [world.webhooks[first : first + 50] for first in range(0, len(world.webhooks), 50)]
    sendings = [each for wave in waves for each in _DICE.sample(wave * 2, 2 * len(wave))]
    began = time.monotonic()

    def send(position: int) -> None:
        time.sleep(max(0.0, began + position / (2 * rate) - time.monotonic()))
        _send(ports, *sendings[position])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(len(sendings))))


def _send(ports: list[int], guid: str, body: bytes) -> None:
    """Until somebody acknowledges it, as a redelivery would."""
    headers = sign(body, SECRETS[0]) | {"x-github-event": "pull_request", "x-github-delivery": guid}
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", _DICE.choice(ports), timeout=10)
        try:
            connection.request("POST", "/webhooks", body=body, headers=headers)
            if connection.getresponse().status in (200, 202):
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()


def _query(database: str, statement: sa.Executable) -> list[Any]:
    engine = open_engine(database)
    try:
        with reading(engine) as session:
            return list(session.connection().execute(statement))
    finally:
        engine.dispose()


def _wait_any(database: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if _query(database, sa.select(col(DeliveryRow.guid)).limit(1)):
                return
        except sa.exc.SQLAlchemyError:  # not migrated yet
            time.sleep(0.1)
    raise TimeoutError("expected a first delivery within a minute, got none; see services.log")


def _unfinished(database: str, deliveries: int) -> int:
    status = sa.table("workflow_status", sa.column("status"), schema=None if database.startswith("sqlite") else "dbos")
    waiting = sa.select(sa.func.count()).where(status.c.status.in_(("PENDING", "ENQUEUED", "DELAYED")))
    posted = sa.select(sa.func.count()).select_from(ReviewRow).where(col(ReviewRow.state) == "posted")
    return int(_query(database, waiting)[0][0]) + deliveries - int(_query(database, posted)[0][0])


def _wait_done(database: str, deliveries: int) -> None:
    """Raises nothing when the time is over: what is not done is counted."""
    deadline = time.monotonic() + _DONE_SECONDS
    while _unfinished(database, deliveries) and time.monotonic() < deadline:
        time.sleep(0.2)


def _count(database: str, world: World) -> dict[str, Any]:
    deliveries = len(world.webhooks)
    stored = {
        guid.split(":", 1)[1]: outcome
        for guid, outcome in _query(database, select(DeliveryRow.guid, DeliveryRow.outcome))
    }
    states = Counter(row[0] for row in _query(database, sa.select(col(ReviewRow.state))))
    standin, bot = world.standin, f"{world.standin.slug}[bot]"
    reviews, checks, comments = Counter[int](), Counter[int](), Counter[int]()
    for number in range(1, deliveries + 1):
        found = standin.reviews(REPO, number, author=bot)
        head = standin.find_pull(REPO, number)[1].head_sha
        reviews[sum(one["state"] == "COMMENTED" for one in found)] += 1
        comments[sum(len(one["comments"]) for one in found)] += 1
        checks[sum(run["name"] == CHECK_NAME for run in standin.check_runs(REPO, head))] += 1
    return {
        "database": database.split(":", 1)[0],
        "deliveries": deliveries,
        "lost": sum(stored.get(guid) is None for guid, _ in world.webhooks),
        "unfinished": _unfinished(database, deliveries),
        "review_rows": dict(states),
        "reviews_per_pull_request": dict(reviews),
        "comments_per_pull_request": dict(comments),
        "check_runs_per_pull_request": dict(checks),
    }


def _longest_takeover(database: str, killed: dict[int, float]) -> float | None:
    """From a kill to the moment a peer has all of the dead one's work; None on SQLite, where nobody is a peer. The
    last ones, whom nobody had the time to miss, don't count."""
    rows = _query(database, sa.select(col(ExecutorRow.pid), col(ExecutorRow.ended_at)))
    taken = [ended.timestamp() - killed[pid] for pid, ended in rows if ended is not None and pid in killed]
    return round(max(taken), 1) if taken else None


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'understudy.db'}"
        return
    place = Path(tempfile.mkdtemp(prefix="us-pg-", dir="/tmp"))  # a socket's path is short
    server = PostgresServer(place)
    try:
        yield server.create_database()
    finally:
        server.kill()
        shutil.rmtree(place, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--deliveries", type=int, default=500)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--per-second", type=float, default=4.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _database(arguments.database, Path(name)) as url:
        report = measure(
            url,
            Path(name),
            deliveries=arguments.deliveries,
            kills=arguments.kills,
            services=1 if arguments.database == "sqlite" else 3,
            rate=arguments.per_second,
        )
    print(json.dumps(report))  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
