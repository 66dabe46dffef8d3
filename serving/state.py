"""The state folder: keys, the desired set, quarantine records, and where the front is found. One process at a time."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.domain.base import Record
from app.domain.errors import UserError, spoken_place
from app.domain.serving import Quarantine


class DesiredAdapter(Record):
    """An adapter that shall be served. `path` is where it came from; what is served is our own copy."""

    name: str
    path: str
    asked_at: datetime


class FrontAddress(Record):
    url: str
    pid: int


_DESIRED: TypeAdapter[tuple[DesiredAdapter, ...]] = TypeAdapter(tuple[DesiredAdapter, ...])


class StateFolder:
    """Only its owner may read it: it holds keys."""

    def __init__(self, path: Path) -> None:
        """Raises: UserError when the folder can't be made or written."""
        with spoken_place(path):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
            self.path = path.resolve()
            self.adapters = self.path / "adapters"
            self.adapters.mkdir(exist_ok=True)
            (self.path / "lock").touch()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises: UserError when another `serving run` uses the folder."""
        with (self.path / "lock").open("wb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UserError(f"another `serving run` uses {self.path}; stop it or name another --state") from error
            yield

    def ensure_key(self, kind: str) -> str:
        """The read or control key, made at first use with mode 0600."""
        path = self.path / f"{kind}.key"
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(secrets.token_urlsafe(32))
        return read_key(self.path, kind)

    def load_desired(self) -> tuple[DesiredAdapter, ...]:
        path = self.path / "desired.json"
        if not path.exists():
            return ()
        try:
            return _DESIRED.validate_json(path.read_bytes())
        except ValidationError as error:
            raise UserError(f"{path} is no list of adapters; delete it to start with none") from error

    def save_desired(self, desired: tuple[DesiredAdapter, ...]) -> None:
        _replace(self.path / "desired.json", _DESIRED.dump_json(desired, indent=1))

    def load_quarantine(self) -> tuple[Quarantine, ...]:
        path = self.path / "quarantine.jsonl"
        if not path.exists():
            return ()
        return tuple(Quarantine.model_validate_json(line) for line in path.read_bytes().splitlines())

    def add_quarantine(self, record: Quarantine) -> None:
        with (self.path / "quarantine.jsonl").open("a") as stream:
            stream.write(record.model_dump_json() + "\n")

    def save_address(self, address: FrontAddress) -> None:
        _replace(self.path / "front.json", address.model_dump_json().encode())

    def clear_address(self) -> None:
        (self.path / "front.json").unlink(missing_ok=True)


def load_address(state: Path) -> FrontAddress:
    """Raises: UserError when nothing serves from this folder."""
    try:
        return FrontAddress.model_validate(json.loads((state / "front.json").read_bytes()))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(
            f"nothing serves from {state}; start it: .venv/bin/python -m serving run --base DIR --state {state}"
        ) from error


def read_key(state: Path, kind: str) -> str:
    return (state / f"{kind}.key").read_text().strip()


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.writing")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
