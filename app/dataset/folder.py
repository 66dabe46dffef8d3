"""A snapshot on disk: written whole or not at all, never changed, and checked before it is believed."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.errors import Refused, UserError
from app.domain.snapshots import SnapshotManifest

MANIFEST = "manifest.json"


class Assembled(Record):
    """`files` maps names to bytes; the manifest already holds their hashes."""

    files: dict[str, bytes]
    manifest: SnapshotManifest


def hash_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_folder(assembled: Assembled, folder: Path) -> SnapshotManifest:
    """Files first, manifest last, all under a temporary name that is renamed at the end; then read-only.

    A folder that holds this very snapshot is left alone, and its manifest returned.

    Raises:
        UserError: when the folder holds something else.
    """
    if folder.exists():
        return _accept(assembled, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in assembled.files.items():
            _write(partial / name, content)
        _write(partial / MANIFEST, assembled.manifest.model_dump_json(indent=2).encode() + b"\n")
        partial.chmod(0o755)
        partial.rename(folder)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        if not folder.exists():  # else another process was faster with the same name
            raise
        return _accept(assembled, folder)
    folder.chmod(0o555)
    return assembled.manifest


def _accept(assembled: Assembled, folder: Path) -> SnapshotManifest:
    if not (folder / MANIFEST).exists():
        raise UserError(
            f"{folder}: expected a new folder or this snapshot, got a folder without {MANIFEST}; choose another"
        )
    standing = verify_snapshot(folder)
    if standing.id != assembled.manifest.id:
        raise UserError(f"{folder}: holds snapshot {standing.id}, not {assembled.manifest.id}; choose another folder")
    return standing


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)


def verify_snapshot(folder: Path) -> SnapshotManifest:
    """The manifest, when every file is there, hashes to what it says, and nothing else lies beside them.

    Raises:
        UserError: when the folder is no complete snapshot.
        Refused: "changed_file", naming the file that was changed, added or removed.
    """
    try:
        manifest = SnapshotManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: expected a snapshot folder, got one without {MANIFEST}; it is incomplete"
        ) from error
    except ValidationError as error:
        raise UserError(f"{folder / MANIFEST}: expected a snapshot manifest, got {error.errors()[0]['msg']}") from error
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    for name in sorted(found ^ set(manifest.files)):
        verb = "was added" if name in found else "is missing"
        raise Refused("changed_file", f"{folder / name}: {verb}; a snapshot never changes, build a new one")
    for name, expected in sorted(manifest.files.items()):
        actual = hash_bytes((folder / name).read_bytes())
        if actual != expected:
            raise Refused("changed_file", f"{folder / name}: expected sha256 {expected}, got {actual}; it was changed")
    return manifest
