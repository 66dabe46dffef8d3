"""Many installations on one service: what a pull request costs, and what a storm in one does to the others.

`python -m tests.benchmarks.tenants [--installations 10 50 200] [--pulls 50] [--repeats 2] [--storms 2]`

    cost   processor seconds of the service for each pull request, from the webhook to the finished check run, with so
           many installations of so many pull requests each; a fresh database each time. To reach: flat within 10 %.
    storm  seconds from webhook to finished check run of twenty quiet installations, while another one opens 200 pull
           requests at once, and while it does not, in turns. To reach: their 95th percentile is unaffected.

The service is real and on SQLite; GitHub's edge answers at once after 50 ms (service.py). Prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from sqlmodel import select

from app.store.database import open_engine, reading
from app.store.tables import DeliveryRow, ReviewRow
from tests.integration.intake.conftest import SECRETS, TOKEN, a_payload, settings_for, sign

_CHECKOUT = Path(__file__).parents[3]
_QUIET = 20
_STORM = 200
_STORM_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    port: int
    pid: int
    database: sa.Engine

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def count_finished(self) -> int:
        with reading(self.database) as session:
            query = sa.select(sa.func.count()).select_from(ReviewRow).where(sa.column("finished_at").is_not(None))
            finished = int(session.connection().execute(query).scalar_one())
            failed = sa.select(sa.func.count()).select_from(sa.table("workflow_status"))
            failed = failed.where(sa.column("status").in_(("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")))
            if number := int(session.connection().execute(failed).scalar_one()):
                raise SystemExit(f"expected every review to end well, got {number} workflows that failed")
            return finished


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--installations", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--pulls", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--storms", type=int, default=2)
    given = parser.parse_args()
    costs: dict[str, list[float]] = {str(count): [] for count in given.installations}
    for _ in range(given.repeats):
        for count in given.installations:
            costs[str(count)].append(measure_cost(count, given.pulls))
            _say(f"{count} installations: {costs[str(count)][-1] * 1000:.1f} ms a pull request")
    medians = [statistics.median(each) for each in costs.values()]
    waits: dict[str, list[float]] = {"calm": [], "storm": []}
    for turn in range(2 * given.storms):
        name = ("calm", "storm")[turn % 2]
        waits[name].append(measure_storm(_STORM if name == "storm" else 0))
        _say(f"{name}: {waits[name][-1]:.2f} s")
    report = {
        "cost_seconds": costs,
        "spread": round(max(medians) / min(medians) - 1, 3),
        "p95_seconds_of_others": waits,
        "load": os.getloadavg(),
    }
    print(json.dumps(report, indent=1))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_cost(installations: int, pulls: int) -> float:
    """Processor seconds a pull request; the order is shuffled, so that all installations are busy at once."""
    sendings = [(tenant, number) for tenant in range(installations) for number in range(pulls)]
    random.Random(installations).shuffle(sendings)  # noqa: S311 - an order, no secret
    with running() as service:
        began = service.cpu_seconds()
        asyncio.run(_send_all(service.port, sendings))
        while service.count_finished() < len(sendings):
            time.sleep(1)
        return (service.cpu_seconds() - began) / len(sendings)


def measure_storm(storm: int) -> float:
    """The 95th percentile of the quiet installations' seconds."""
    with running() as service:
        asyncio.run(_send_beside(service.port, storm))
        expected = storm + _QUIET * _PULLS
        while service.count_finished() < expected:
            time.sleep(0.5)
        waits = sorted(_read_waits(service.database))
    return round(waits[int(len(waits) * 0.95)], 3)


#: Each quiet installation opens so many, spread over the time of the storm.
_PULLS = 10


async def _send_beside(port: int, storm: int) -> None:
    chance = random.Random(7)  # noqa: S311 - moments, no secret
    moments = sorted(
        (chance.uniform(0, _STORM_SECONDS), tenant, number) for tenant in range(_QUIET) for number in range(_PULLS)
    )
    began = time.monotonic()
    async with httpx.AsyncClient(timeout=60) as client:
        stormy = asyncio.create_task(_send_all(port, [(_QUIET + 1, number) for number in range(storm)]))
        for moment, tenant, number in moments:
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            await _send(client, port, tenant, number)
        await stormy


async def _send_all(port: int, sendings: list[tuple[int, int]]) -> None:
    left = iter(sendings)
    async with httpx.AsyncClient(timeout=60) as client:

        async def sender() -> None:
            for tenant, number in left:
                await _send(client, port, tenant, number)

        await asyncio.gather(*(sender() for _ in range(10)))


async def _send(client: httpx.AsyncClient, port: int, tenant: int, number: int) -> None:
    repository = {
        "id": tenant + 1,
        "full_name": f"o/r{tenant}",
        "owner": {"id": 3, "login": "o", "type": "Organization"},
    }
    pull = {"number": number + 1, "head": {"sha": f"{number + 1:040x}"}, "draft": False, "merged": False}
    body = json.dumps(a_payload(installation={"id": tenant + 1}, repository=repository, pull_request=pull)).encode()
    headers = sign(body, SECRETS[0]) | {"x-github-event": "pull_request", "x-github-delivery": secrets.token_hex(16)}
    answer = await client.post(f"http://127.0.0.1:{port}/webhooks", content=body, headers=headers)
    answer.raise_for_status()


def _read_waits(database: sa.Engine) -> list[float]:
    """Of the quiet installations: webhook to finished review, in seconds."""
    with reading(database) as session:
        asked = session.exec(select(DeliveryRow)).all()
        came = {(row.installation_id, json.loads(row.body)["pull_request"]["number"]): row.received_at for row in asked}
        reviews = [row for row in session.exec(select(ReviewRow)).all() if row.installation_id <= _QUIET]
    return [
        (row.finished_at - came[row.installation_id, row.pull_request]).total_seconds()
        for row in reviews
        if row.finished_at is not None
    ]


@contextmanager
def running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'understudy.db'}"
        settings = settings_for(url, folder)
        port = 10_000 + secrets.randbelow(20_000)
        environment: dict[str, Any] = os.environ | {
            "UNDERSTUDY_WEBHOOK_SECRETS": ",".join(SECRETS),
            "UNDERSTUDY_OPERATOR_TOKEN": TOKEN,
            "UNDERSTUDY_APP_ID": "1",
            "UNDERSTUDY_PRIVATE_KEY_FILE": str(settings.private_key_file),
            "UNDERSTUDY_DATABASE_URL": url,
            "UNDERSTUDY_DATA": str(folder / "data"),
            "UNDERSTUDY_PORT": str(port),
        }
        command = [sys.executable, "-m", "tests.benchmarks.tenants.service"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=_CHECKOUT, env=environment, stdout=log, stderr=log)
        try:
            _wait_ready(port, process, folder / "log")
            database = open_engine(url)
            try:
                yield Running(port, process.pid, database)
            except SystemExit:
                _say((folder / "log").read_text()[-8_000:])
                raise
            database.dispose()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the service did not start:\n{log.read_text()}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
