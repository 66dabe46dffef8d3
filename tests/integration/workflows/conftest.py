"""Running the sample workflows here, and in programs that can be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.workflows import engine
from tests.integration.workflows import samples

_CHECKOUT = Path(__file__).parents[3]


class Program:
    """One process of the sample workflows on a database."""

    def __init__(self, url: str, folder: Path, *keys: str, script: Path | None = None) -> None:
        command = [sys.executable, *([str(script)] if script else ["-m", samples.__name__]), url, str(folder), *keys]
        environment = os.environ | {"PYTHONPATH": str(_CHECKOUT)}
        self.process = subprocess.Popen(
            command, cwd=_CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_ready(self) -> "Program":
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            pytest.fail(f"the program did not start: {self.process.communicate()[1]}")
        return self

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


Start = Callable[..., Program]


@pytest.fixture
def program() -> Iterator[Start]:
    """Start programs that are killed at the end of the test, whatever happens in it."""
    started: list[Program] = []

    def start(url: str, folder: Path, *keys: str, script: Path | None = None) -> Program:
        started.append(Program(url, folder, *keys, script=script))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def booted(empty_database_url: str, tmp_path: Path) -> Iterator[str]:
    """The engine in this process, once on SQLite and once on PostgreSQL; gives the database's URL."""
    samples.in_folder(tmp_path)
    engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False)
    yield empty_database_url
    engine.shutdown()
