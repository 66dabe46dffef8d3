"""How fast and how surely deliveries are taken in.

`python -m tests.benchmarks.intake [--deliveries 1000] [--senders 20] [--database URL]` starts the real service as a
program of its own, sends every delivery three times in shuffled order, waits until all are handled, and prints one
JSON object. To reach on 2 cores: 1,000 effects, 0 lost, p99 of the acknowledgement below 500 ms.
"""

import argparse
import http.client
import json
import random
import statistics
import tempfile
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from app.store.database import open_engine, reading
from app.store.tables import DeliveryRow
from tests.integration.intake.conftest import SECRETS, ServiceProgram, a_payload, sign

_HANDLE_SECONDS = 300
_threads = local()


def measure(database_url: str, folder: Path, *, deliveries: int, senders: int) -> dict[str, Any]:
    """Every figure of one run. Times are seconds unless named otherwise."""
    sendings = [(str(uuid.uuid4()), number + 1) for number in range(deliveries)] * 3
    random.shuffle(sendings)
    with ServiceProgram(database_url, folder).running() as service:
        port = int(service.url.rsplit(":", 1)[1])
        began = time.monotonic()
        with ThreadPoolExecutor(senders) as pool:
            answers = list(pool.map(lambda sending: _send(port, *sending), sendings))
        sent = time.monotonic() - began
        _wait_handled(database_url, deliveries)
        handled = time.monotonic() - began
    return _report(database_url, answers) | {"sent_seconds": round(sent, 1), "handled_seconds": round(handled, 1)}


def _send(port: int, guid: str, number: int) -> tuple[str, int, float]:
    """GUID, status, and milliseconds until the answer was there. One connection per sender."""
    body = json.dumps(a_payload(number=number)).encode()
    headers = sign(body, SECRETS[0]) | {"x-github-event": "pull_request", "x-github-delivery": guid}
    connection = getattr(_threads, "connection", None)
    if connection is None:
        connection = _threads.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.monotonic()
    connection.request("POST", "/webhooks", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return guid, answer.status, (time.monotonic() - began) * 1000


def _wait_handled(database_url: str, deliveries: int) -> None:
    engine = open_engine(database_url)
    deadline = time.monotonic() + _HANDLE_SECONDS
    while time.monotonic() < deadline:
        with reading(engine) as session:
            handled = sa.select(sa.func.count()).select_from(DeliveryRow).where(sa.column("outcome").is_not(None))
            if session.connection().execute(handled).scalar_one() >= deliveries:
                break
        time.sleep(0.2)
    engine.dispose()


def _report(database_url: str, answers: list[tuple[str, int, float]]) -> dict[str, Any]:
    engine = open_engine(database_url)
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    status = sa.table("workflow_status", sa.column("workflow_uuid"), schema=schema)
    effects = sa.select(sa.func.count()).where(status.c.workflow_uuid.like("review:%"))
    with reading(engine) as session:
        stored = {guid.split(":", 1)[1] for guid in session.exec(select(DeliveryRow.guid))}
        started = session.connection().execute(effects).scalar_one()
    engine.dispose()
    acknowledged = {guid for guid, code, _ in answers if code in (200, 202)}
    milliseconds = sorted(taken for _, _, taken in answers)
    return {
        "deliveries": len({guid for guid, _, _ in answers}),
        "sent": len(answers),
        "statuses": dict(Counter(str(code) for _, code, _ in answers)),
        "effects": started,
        "lost": len(acknowledged - stored),
        "ack_p50_ms": round(statistics.median(milliseconds), 1),
        "ack_p99_ms": round(milliseconds[int(len(milliseconds) * 0.99)], 1),
        "ack_max_ms": round(milliseconds[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--senders", type=int, default=20)
    parser.add_argument("--database", help="a database URL; by default a fresh SQLite file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = arguments.database or f"sqlite:///{folder / 'understudy.db'}"
        report = measure(url, folder, deliveries=arguments.deliveries, senders=arguments.senders)
    print(json.dumps(report))  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
