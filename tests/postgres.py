"""A real PostgreSQL for the tests: started once per test process, a fresh database per test, gone at the end.

It listens on a unix socket in a temporary folder only, so it needs no port, and many can run side by side.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest

from app.store.migrate import migrate

_INSTALL = "the tests need PostgreSQL's server programs (initdb, pg_ctl): apt-get install postgresql"


def find_program(name: str) -> str:
    """Path of a server program on PATH or where Debian keeps it; the newest version wins. Fails the test if absent."""
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name) or (str(packaged[-1]) if packaged else None)
    if found is None:
        pytest.fail(f"{name} was not found on PATH or in /usr/lib/postgresql/*/bin; {_INSTALL}", pytrace=False)
    return found


@cache
def _account() -> str | None:
    """PostgreSQL refuses to run as root; who else there is depends on the machine."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class PostgresServer:
    """One server in a folder of its own. `stop` and `start` are for tests of what happens without it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        if (account := _account()) is not None:
            shutil.chown(folder, account)
        self._run(find_program("initdb"), "-D", str(self._data), "-U", "understudy", "-A", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=200"
        log = str(self.folder / "log")
        self._run(find_program("pg_ctl"), "-D", str(self._data), "-l", log, "-w", "-t", "60", "-o", options, "start")

    def stop(self) -> None:
        self._run(find_program("pg_ctl"), "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def create_database(self) -> str:
        """A fresh, empty database; returns its URL."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return self._url(name)

    def drop_database(self, url: str) -> None:
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())

    def _url(self, database: str) -> str:
        return f"postgresql://understudy@/{database}?host={self.folder}"

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            check=False,
            user=_account(),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            pytest.fail(f"{command[0]}: {done.stderr.decode()}{log.read_text() if log.exists() else ''}", pytrace=False)

    def kill(self) -> None:
        """End it at once; only for the end of the session, nothing is kept."""
        pid_file = self._data / "postmaster.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="us-pg-", dir="/tmp"))  # a socket's path is 107 bytes at most
    server = PostgresServer(folder)
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a database without any table."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'understudy.db'}"
    url = request.getfixturevalue("empty_postgres")
    assert isinstance(url, str)
    return url


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """URL of a migrated database: once SQLite, once PostgreSQL."""
    migrate(empty_database_url)
    return empty_database_url
