"""A service under steady traffic: does anything grow, does anything stick?

`python -m tests.benchmarks.soak [--minutes 10] [--per-second 20]` starts the real service on SQLite, delivers webhooks
at that pace, looks at it every five seconds and prints one JSON object. To reach over ten minutes: resident memory
grows by less than 10 % after the first fifth, the write-ahead log stays below 64 MB, nothing stuck, 0 dead letters.
"""

import argparse
import json
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from app.store.database import open_engine, reading
from tests.integration.intake.conftest import Service, ServiceProgram, a_payload

_LOOK_SECONDS = 5.0
_DRAIN_SECONDS = 60


def measure(folder: Path, *, minutes: float, rate: float) -> dict[str, Any]:
    url = f"sqlite:///{folder / 'understudy.db'}"
    program = ServiceProgram(url, folder)
    with program.running() as service:
        answers: list[int] = []
        sender = threading.Thread(target=_send, args=(service, minutes * 60, rate, answers))
        sender.start()
        memory, log = _watch(sender, program.pid, folder / "understudy.db-wal")
        waiting = _drain(url)
        states = _states(url)
    settled = memory[len(memory) // 5 :]
    return {
        "minutes": minutes,
        "delivered": len(answers),
        "acknowledged": sum(status == 202 for status in answers),
        "memory_mb": [round(settled[0] / 1e6, 1), round(settled[-1] / 1e6, 1)],
        "memory_growth": round(settled[-1] / settled[0] - 1, 3),
        "longest_log_mb": round(max(log) / 1e6, 1),
        "not_handled": waiting,
        "states": states,
    }


def _send(service: Service, seconds: float, rate: float, answers: list[int]) -> None:
    began = time.monotonic()

    def one(number: int) -> int:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        try:
            return service.deliver(a_payload(number=number + 1), guid=str(uuid.uuid4())).status_code
        except httpx.TransportError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        answers.extend(pool.map(one, range(int(seconds * rate))))


def _watch(sender: threading.Thread, pid: int, log: Path) -> tuple[list[int], list[int]]:
    """Resident bytes and the log's bytes, once every five seconds."""
    memory, sizes = [], []
    while sender.is_alive():
        status = Path(f"/proc/{pid}/status").read_text()
        memory.append(1024 * int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]))
        sizes.append(log.stat().st_size if log.exists() else 0)
        sender.join(_LOOK_SECONDS)
    return memory, sizes


def _count(url: str, query: str) -> list[Any]:
    engine = open_engine(url)
    try:
        with reading(engine) as session:
            return list(session.connection().execute(sa.text(query)))
    finally:
        engine.dispose()


def _drain(url: str) -> int:
    deadline = time.monotonic() + _DRAIN_SECONDS
    query = "select count(*) from us_delivery where outcome is null"
    while (waiting := int(_count(url, query)[0][0])) and time.monotonic() < deadline:
        time.sleep(0.5)
    return waiting


def _states(url: str) -> dict[str, int]:
    """Of the deliveries' own workflows: those they begin wait for a GitHub that is not there."""
    query = "select status, count(*) from workflow_status where name = 'delivery' group by status"
    return {str(row[0]): int(row[1]) for row in _count(url, query)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-second", type=float, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = measure(Path(name), minutes=arguments.minutes, rate=arguments.per_second)
    print(json.dumps(report))  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
