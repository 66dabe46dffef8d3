"""Taking deliveries in, side by side: ours, Probot, and a bare FastAPI route that commits one row.

`python -m tests.benchmarks.intake_beside [--deliveries 1000] [--senders 20] [--rounds 5] [--body-bytes 15000]`

All three run as programs of their own on this machine, one is asked at a time, in turns. Ours checks the signature,
commits the delivery together with its work, and goes on working while it takes in more; between turns it is let finish.
Probot (npm, exact version below) checks the signature, calls a handler and stores nothing. To reach: at least 0.8 of
Probot's deliveries per second (median of the rounds), and p99 below 100 ms at 100 deliveries per second.
Prints one JSON object; every delivery that ours acknowledged is counted in its database afterwards.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.intake_beside.sending import Sent, make_requests, send_closed, send_paced
from tests.integration.intake.conftest import SECRETS, ServiceProgram, settings_for
from tests.npm_packages import npm_package

PROBOT = ("probot", "14.3.2")
_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parents[2]
_PACED_PER_SECOND = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--senders", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--body-bytes", type=int, default=15_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = f"sqlite:///{folder / 'understudy.db'}"
        settings = settings_for(url, folder)
        service = stack.enter_context(ServiceProgram(url, folder).running())
        ports = {
            "ours": int(service.url.rsplit(":", 1)[1]),
            "probot": stack.enter_context(_probot(settings.private_key_file)),
            "bare": stack.enter_context(_bare(folder / "bare.db")),
        }

        def settle() -> None:
            while service.status()["deliveries"].get("waiting"):
                time.sleep(0.2)

        report = measure(ports, settle, given)
        status = service.status()
    report["ours_stored"] = status["rows"]["us_delivery"]
    if report["ours_stored"] != report["ours_sent"]:
        raise SystemExit(f"acknowledged {report['ours_sent']} deliveries, stored {report['ours_stored']}")
    print(json.dumps(report, indent=1))


def measure(ports: dict[str, int], settle: Callable[[], None], given: argparse.Namespace) -> dict[str, Any]:
    rounds: dict[str, list[Sent]] = {name: [] for name in ports}
    for turn in range(given.rounds + 1):
        for name, port in ports.items():
            requests = make_requests(given.deliveries if turn else 50, body_bytes=given.body_bytes)
            sent = asyncio.run(send_closed(port, requests, senders=given.senders))
            settle()
            print(f"round {turn} {name}: {sent.per_second:.0f}/s, p99 {sent.percentile(0.99):.0f} ms", file=sys.stderr)
            if turn:  # the first warms them up
                rounds[name].append(sent)
    paced: dict[str, Sent] = {}
    for name, port in ports.items():
        requests = make_requests(given.deliveries, body_bytes=given.body_bytes)
        paced[name] = asyncio.run(send_paced(port, requests, per_second=_PACED_PER_SECOND))
        settle()
    ratios = [
        ours.per_second / theirs.per_second for ours, theirs in zip(rounds["ours"], rounds["probot"], strict=True)
    ]
    return {
        "per_second": {name: [round(one.per_second) for one in each] for name, each in rounds.items()},
        "p99_ms": {name: [round(one.percentile(0.99), 1) for one in each] for name, each in rounds.items()},
        "paced_p50_ms": {name: round(one.percentile(0.5), 1) for name, one in paced.items()},
        "paced_p99_ms": {name: round(one.percentile(0.99), 1) for name, one in paced.items()},
        "ratio_to_probot": [round(ratio, 2) for ratio in ratios],
        "median_ratio_to_probot": round(statistics.median(ratios), 2),
        "ours_sent": 50 + given.deliveries * (given.rounds + 1),
        "probot": "@".join(PROBOT),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


@contextmanager
def _probot(key: Path) -> Iterator[int]:
    package = npm_package(*PROBOT)
    port = 10_000 + secrets.randbelow(20_000)
    command = ["node", str(_HERE / "probot_server.mjs"), str(port), SECRETS[0], str(key)]
    with _program(command, package.parents[1], port):
        yield port


@contextmanager
def _bare(file: Path) -> Iterator[int]:
    port = 10_000 + secrets.randbelow(20_000)
    module = "tests.benchmarks.intake_beside.bare_server"
    with _program([sys.executable, "-m", module, str(port), str(file)], _CHECKOUT, port):
        yield port


@contextmanager
def _program(command: list[str], folder: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=os.environ | {"NODE_ENV": "production"})
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"did not start: {' '.join(command)}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=2)
    except httpx.TransportError:
        return False
    return True


if __name__ == "__main__":
    main()
