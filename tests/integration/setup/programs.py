"""`python -m app` as a person starts it, in a folder of its own and with hardly any environment."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

CHECKOUT = Path(__file__).parents[3]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+/")


def environment(**more: str) -> dict[str, str]:
    """None of this machine's own UNDERSTUDY_ variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    return kept | {"PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", "COLUMNS": "200"} | more


@contextmanager
def started(folder: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    log = folder / f"{arguments[0]}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            cwd=folder,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def read_address(process: subprocess.Popen[str]) -> str:
    """That of the setup page, as the terminal shows it."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := _ADDRESS.search(line):
            return found[0]
    pytest.fail(f"the setup ended with {process.wait(10)} before it showed its address")


def wait_ready(process: subprocess.Popen[str], url: str, folder: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the service did not start:\n{(folder / 'serve.log').read_text()}")
        time.sleep(0.1)


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """To its end."""
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=180, check=False
    )


def choose(given: dict[str, str]) -> dict[str, str]:
    """The first page's form, as a browser posts it."""
    plain = {"where": "enterprise", "owner": "organisation", "organisation": "acme", "name": "Understudy of Acme"}
    return plain | {"propose": "no"} | given
