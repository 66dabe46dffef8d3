"""The form of a backup: a folder, or a tar file of one. Its manifest is written last and holds the hash of every file.

While it is made it bears another name, so a backup that was cut off is none.
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.errors import UserError, spoken_place

MANIFEST = "manifest.json"
_PARTIAL, _PACKING = ".partial", ".packing"
_PIECE_BYTES = 1 << 20


class Entry(Record):
    sha256: str
    size_bytes: int


class Manifest(Record):
    """`data` is the data folder it was made of; `columns` those of each table, for PostgreSQL; `journal` the form of
    the job engine's tables."""

    format: Literal[1] = 1
    made_at: datetime
    backend: Literal["sqlite", "postgresql"]
    schema_version: str
    journal: int
    data: str
    columns: dict[str, tuple[str, ...]]
    files: dict[str, Entry]


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """A folder to fill; once the block ends, `target` is there, whole: a tar file when its name ends in .tar.

    Raises:
        UserError: when something is there already.
    """
    if target.exists():
        raise UserError(f"expected nothing at {target} yet, found something; name a new place for each backup")
    partial, packed = (Path(f"{target}{ending}") for ending in (_PARTIAL, _PACKING))
    with spoken_place(target):
        shutil.rmtree(partial, ignore_errors=True)  # of one that was cut off
        partial.mkdir(parents=True, mode=0o700)
        try:
            yield partial
            if target.suffix != ".tar":
                partial.rename(target)
            else:
                _pack(partial, packed)
                packed.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            packed.unlink(missing_ok=True)
        _flush(target.parent)


def _pack(folder: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            names = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
            for path in [*names, folder / MANIFEST]:
                tar.add(path, arcname=str(path.relative_to(folder)))
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_file(source: Path, target: Path) -> Entry:
    """Copy, for nobody else's eyes, and say what was copied."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        while piece := reader.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            writer.write(piece)
        writer.flush()
        os.fsync(writer.fileno())
    return Entry(sha256=digest.hexdigest(), size_bytes=size)


def describe_file(path: Path) -> Entry:
    with path.open("rb") as file:
        return Entry(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    descriptor = os.open(folder / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())


#: Where a tar file is unpacked; what an attempt that was killed left of it is removed by the next.
_UNPACKED = ".unpacked-"


@contextmanager
def opened(source: Path, *, scratch: Path) -> Iterator[tuple[Path, Manifest]]:
    """The backup as a folder, each of its files verified. A tar file is unpacked within `scratch` for the while.

    Raises:
        UserError: when it is no backup, was never finished, or a file of it was changed, is missing or is too many.
    """
    if source.suffix in (_PARTIAL, _PACKING):
        raise UserError(f"expected a finished backup, but {source} was cut off while it was made; take another")
    if not source.exists():
        raise UserError(
            f"expected a backup at {source}, a folder or a tar file, found nothing; name what "
            "`.venv/bin/python -m app backup` wrote"
        )
    if source.is_dir():
        yield source, _verify(source)
        return
    with spoken_place(scratch):
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in scratch.glob(f"{_UNPACKED}*"):
            shutil.rmtree(left)
        with TemporaryDirectory(dir=scratch, prefix=_UNPACKED) as name:
            try:
                with tarfile.open(source) as tar:
                    tar.extractall(name, filter="data")
            except (tarfile.TarError, FileNotFoundError, EOFError) as error:
                raise UserError(f"expected a backup at {source}, a folder or a tar file, got: {error}") from error
            yield Path(name), _verify(Path(name))


def _verify(folder: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"expected a finished backup in {folder}, found no {MANIFEST}: it is none, or was cut off while it was made"
        ) from None
    except ValidationError as error:
        raise UserError(
            f"expected a manifest that this Understudy knows in {folder}, got another; use the version that made it"
        ) from error
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()} - {MANIFEST}
    wrong = sorted(found ^ manifest.files.keys()) or [
        name for name, entry in manifest.files.items() if describe_file(folder / name) != entry
    ]
    if wrong:
        raise UserError(
            f"expected the files of the backup as they were made, but {wrong[0]} was changed, is missing or is not of "
            "it; nothing was restored. Take another backup"
        )
    return manifest
