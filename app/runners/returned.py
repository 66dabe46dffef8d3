"""A run that came back is believed once every hash of it was taken anew here."""

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from app.domain.adapters import AdapterManifest, BaseCheckpoint, check_base
from app.domain.errors import Refused, UserError
from app.domain.evals import GateDecision
from app.domain.explaining import explain
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import SnapshotManifest

RecordT = TypeVar("RecordT", bound=BaseModel)
_MANIFEST = "manifest.json"


class _Run(BaseModel):
    """What of run.json binds it to the rest; the trainer adds figures of its own."""

    model_config = ConfigDict(extra="ignore")

    snapshot: str
    adapter: str
    verdict: str


@dataclass(frozen=True)
class ReturnedRun:
    manifest: AdapterManifest
    decision: GateDecision


def verify_run(out: Path, *, snapshot: SnapshotManifest, base: BaseCheckpoint) -> ReturnedRun:
    """The version and its decision, when all of it agrees with itself and with what was asked for.

    Raises:
        UserError: when the folder is not whole.
        Refused: `changed_file`, `other_base`, `other_run` or `other_adapter`, naming what differs.
    """
    _check_plain(out)
    run = _load(out / "run.json", _Run)
    decision = _load(out / "decision.json", GateDecision)
    manifest = _load(out / "version" / _MANIFEST, AdapterManifest)
    _check_files(out / "version", manifest)
    check_base(manifest, base)
    wanted: dict[str, Any] = {
        "snapshot": snapshot.id,
        "installation": snapshot.installation,
        "prompt_version": PROMPT_VERSION,
    }
    for field, value in wanted.items():
        if getattr(manifest, field) != value:
            found = getattr(manifest, field)
            raise Refused("other_run", f"{out}: expected a version of {field} {value}, got one of {found}; delete it")
    for field, named in (("decision.json", decision.adapter), ("run.json", run.adapter)):
        if named != manifest.name:
            raise Refused("other_adapter", f"{out / field} is about {named}, but the version is {manifest.name}")
    if run.verdict != decision.verdict or run.snapshot != manifest.snapshot:
        raise Refused("other_run", f"{out}: run.json and decision.json tell different outcomes; delete the folder")
    return ReturnedRun(manifest, decision)


def verify_returned(out: Path, snapshot: Path, base: Path) -> ReturnedRun:
    """`verify_run` with the manifests of the folders that the task named.

    Raises:
        UserError, Refused: as `verify_run`.
    """
    return verify_run(
        out, snapshot=_load(snapshot / _MANIFEST, SnapshotManifest), base=_load(base / "base.json", BaseCheckpoint)
    )


def _check_files(folder: Path, manifest: AdapterManifest) -> None:
    for name in manifest.files:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or name == _MANIFEST:
            raise Refused("changed_file", f"{folder / _MANIFEST} names a file outside of the version: {name!r}")
    found = set(_list_files(folder)) - {_MANIFEST}
    for name in sorted(found ^ set(manifest.files)):
        verb = "was added" if name in found else "is missing"
        raise Refused("changed_file", f"{folder / name} {verb}: the version's manifest says otherwise")
    for name, wanted in sorted(manifest.files.items()):
        with (folder / name).open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
        if actual != wanted:
            raise Refused("changed_file", f"{folder / name}: expected sha256 {wanted}, got {actual}; it was changed")


def _list_files(folder: Path) -> Iterator[str]:
    """Relative names of all but folders."""
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _check_plain(folder: Path) -> None:
    """A link is never followed, to read or to write: it could lead to a file that is not the run's.

    Raises:
        Refused: at the first link, pipe, socket or device.
    """
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise Refused("changed_file", f"{path} is a link or a device; a run holds files and folders only")


def _load(path: Path, kind: type[RecordT]) -> RecordT:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(
            f"expected {path.name} in {path.parent}, found none: the run is not whole; start it again"
        ) from error
    except ValidationError as error:
        wrong = explain(error, whole="the document")
        raise UserError(f"expected {path} to be a {kind.__name__.strip('_')}: {wrong.field}: {wrong.words}") from error
