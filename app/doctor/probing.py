"""Looking at the machine, the database and the programs beside us. Nothing here decides, and nothing is changed."""

import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from pydantic import ValidationError

from app.doctor.learning_checks import Accelerator, AdapterProbe, BaseProbe, ServerProbe
from app.doctor.machine_checks import FileProbe
from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import UserError
from app.domain.tenants import Host
from app.inference.replicas import Away, Replica, survey
from app.own_service import asking_own_service, own_host
from app.settings import Settings
from app.store.database import open_engine, parse_database_url, reading
from app.store.deliveries import measure_waiting
from app.store.migrate import refuse_newer
from app.store.repositories import select_unproposed
from app.store.rounds import select_registry
from app.workflows.operating import check_renumbered

_SECONDS = 5.0
#: The sweep asks again every hour.
_UNPROPOSED = timedelta(hours=2)
#: Files without which no base answers.
_BASE_FILES = ("config.json", "tokenizer.json", "chat_template.jinja")


def probe_file(path: Path) -> FileProbe:
    try:
        found = path.stat()
    except OSError:
        return FileProbe(path=str(path), mode=None)
    return FileProbe(path=str(path), mode=found.st_mode & 0o777, is_ours=found.st_uid == os.getuid())


def is_writable(folder: Path) -> bool:
    """Of a folder that is not there yet: of the nearest one above it that is."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def free_bytes(folder: Path) -> int:
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(place).free


def sqlite_file(url: str) -> Path | None:
    """None for PostgreSQL."""
    parsed = parse_database_url(url)
    return Path(str(parsed.database)).absolute() if parsed.get_backend_name() == "sqlite" else None


def read_mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8")
    except OSError:
        return ""


class Stored:
    """What the database tells, read once. `problem` is set where it could not be read, `is_new` where there is none,
    `refused` where the service would not start on it."""

    def __init__(self, url: str, hosts: Iterable[Host] = (), *, was: str | None = None) -> None:
        """`hosts`, `was`: as `check_renumbered`."""
        self.problem: str | None = None
        self.refused: str | None = None
        self._hosts, self._was = tuple(hosts), was
        self.postgresql: int | None = None
        self.adapters: tuple[AdapterProbe, ...] = ()
        self.waiting, self.oldest_seconds = 0, 0.0
        self.unproposed: tuple[str, ...] = ()
        file = sqlite_file(url)
        self.is_new = file is not None and not file.exists()
        if not self.is_new:
            self._read(url)

    def _read(self, url: str) -> None:
        database = open_engine(url)
        try:
            with database.connect() as connection:
                if database.dialect.name == "postgresql":
                    self.postgresql = int(connection.exec_driver_sql("show server_version_num").scalar_one())
                self.is_new = not sa.inspect(connection).has_table("us_schema_version")
                refuse_newer(connection)
            if not self.is_new:
                self._read_rows(database)
                check_renumbered(database, self._hosts, self._was)
        except UserError as error:
            self.refused = str(error)
        except sa.exc.SQLAlchemyError as error:
            self.problem = f"can't be read: {getattr(error, 'orig', None) or type(error).__name__}"
        finally:
            database.dispose()

    def _read_rows(self, database: sa.Engine) -> None:
        with reading(database) as session:
            pointers, versions = select_registry(session)
            self.waiting, oldest = measure_waiting(session)
            self.unproposed = tuple(select_unproposed(session, datetime.now(UTC) - _UNPROPOSED))
        known = {(row.installation_id, row.name): row for row in versions}
        self.oldest_seconds = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
        found = []
        for pointer in pointers:
            if pointer.adapter_name is not None:
                row = known.get((pointer.installation_id, pointer.adapter_name))
                probe = AdapterProbe(
                    installation_id=pointer.installation_id,
                    name=pointer.adapter_name,
                    is_there=row is not None and (Path(row.path) / "manifest.json").is_file(),
                    base=None if row is None else AdapterManifest.model_validate(row.manifest).base,
                    stale_at=None if row is None else row.stale_at,
                )
                found.append(probe)
        self.adapters = tuple(found)


def probe_base(folder: Path) -> BaseProbe:
    """What base.json states, and whether the files beside it are whole. Hashes are taken by who loads them."""
    try:
        stated = BaseCheckpoint.model_validate_json((folder / "base.json").read_bytes())
    except FileNotFoundError:
        return BaseProbe(path=str(folder), stated=None, problem=None)
    except (OSError, ValidationError) as error:
        return BaseProbe(path=str(folder), stated=None, problem=f"base.json can't be read ({type(error).__name__})")
    weights = sorted(folder.glob("*.safetensors"))
    lacking = [name for name in _BASE_FILES if not (folder / name).is_file()]
    problem = f"{', '.join(lacking)} missing" if lacking else None if weights else "there are no weights"
    cut = next((path.name for path in weights if not _is_whole(path)), None)
    problem = problem or (f"{cut} is cut short" if cut else None)
    return BaseProbe(
        path=str(folder), stated=stated, problem=problem, weights=sum(one.stat().st_size for one in weights)
    )


def _is_whole(path: Path) -> bool:
    """A safetensors file says in its header where its last byte is."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length < 100_000_000 else {}
        last = max(one["data_offsets"][1] for name, one in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, struct.error, RecursionError):
        return False
    return bool(path.stat().st_size == 8 + length + last)


def probe_accelerator() -> Accelerator | None:
    """The first GPU that NVIDIA's own tool names; None where there is neither."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_accelerator(done.stdout) if done.returncode == 0 else None


def parse_accelerator(said: str) -> Accelerator | None:
    """From the tool's lines `NAME, MEBIBYTES`. Pure."""
    name, _, memory = said.strip().partition("\n")[0].rpartition(",")
    return Accelerator(name=name.strip(), memory=int(memory) * 2**20) if memory.strip().isdigit() else None


async def probe_servers(settings: Settings) -> tuple[ServerProbe, ...]:
    found = await survey(settings.serving, settings.serving_hosts)
    return (*map(_server, found.replicas), *map(_server, found.away))


def _server(found: Replica | Away) -> ServerProbe:
    if isinstance(found, Away):
        return ServerProbe(folder=str(found.folder), state=None, message=found.message)
    status = found.status
    return ServerProbe(folder=str(found.folder), state=status.state, base=status.base, revision=status.revision)


class Service:
    """The service of these settings, if it runs: by its own proof, for any program may have the port."""

    def __init__(self, settings: Settings) -> None:
        self.status = _ask_status(settings)
        self.is_taken = self.status is not None or _is_taken(own_host(settings), settings.port)


def _ask_status(settings: Settings) -> dict[str, Any] | None:
    try:
        with asking_own_service(settings, seconds=_SECONDS) as client:
            answer = client.get("/operator/status")
        return dict(answer.json()) if answer.status_code == 200 else None
    except (UserError, httpx.HTTPError, ValueError, TypeError):
        return None


def _is_taken(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_SECONDS):
            return True
    except OSError:
        return False


def ask_public(url: str) -> tuple[int | None, str]:
    """The status of the health page as seen from outside in, or why there is none."""
    try:
        return httpx.get(f"{url.rstrip('/')}/healthz", timeout=_SECONDS).status_code, ""
    except httpx.HTTPError as error:
        return None, type(error).__name__


def sqlite_version() -> tuple[int, int, int]:
    return sqlite3.sqlite_version_info
