"""Proves a run or a version again from its bytes: hashes, names, the signature, and the verdict itself."""

from collections.abc import Iterator
from pathlib import Path

from app.domain.adapters import AdapterManifest
from app.domain.errors import Refused, UserError
from app.domain.releases import ReleaseManifest, Signature
from training.gate.confirming import confirm_served
from training.process.files import hash_file, load_record
from training.release.deciding import check_same, derive_trained, require_policy
from training.release.folder import SERVED_DECISION, open_run
from training.release.publishing import RELEASE, SIGNATURE, list_sealed
from training.release.signing import check_signature


def verify(folder: Path, *, public_key: str | None = None) -> list[str]:
    """What was proven, a sentence each. `folder` is a sealed run, or a version alone.

    Raises:
        Refused: at the first thing that is not as it was sealed.
        UserError: when the folder is neither.
    """
    if (folder / RELEASE).is_file():
        return list(_prove_release(folder, public_key))
    if (folder / "manifest.json").is_file():
        if public_key is not None:
            raise UserError(
                f"expected a sealed run with {RELEASE} in {folder}, found a version alone, which nobody signs"
            )
        return list(_prove_version(folder))
    raise UserError(f"expected a sealed run ({RELEASE}) or a version (manifest.json) in {folder}, found neither")


def _prove_release(folder: Path, public_key: str | None) -> Iterator[str]:
    release = load_record(folder / RELEASE, ReleaseManifest, what="a release's manifest")
    yield _prove_signature(folder, public_key)
    _prove_files(folder, release.files)
    _prove_complete(folder, release.files)
    yield f"{len(release.files)} files have the hashes that release.json names"
    yield from _prove_version(folder / "version")
    run = open_run(folder)
    if release.adapter != run.manifest.name:
        raise Refused("other_adapter", f"release.json names {release.adapter}, version/ is {run.manifest.name}")
    again = derive_trained(run, require_policy(run))
    if run.served:
        again = confirm_served(again, run.candidate, run.served["candidate"], run.served["baseline"])
        check_same(run.decision, again, SERVED_DECISION)
    if release.verdict != again.verdict:
        raise Refused(
            "other_verdict", f"release.json says {release.verdict}, but the reports and the policy give {again.verdict}"
        )
    yield f"the reports and the policy give the verdict again: {again.verdict}"


def _prove_signature(folder: Path, public_key: str | None) -> str:
    path = folder / SIGNATURE
    if not path.is_file():
        if public_key is not None:
            raise Refused("unsigned", f"expected a signature by {public_key}, found no {SIGNATURE}")
        return "unsigned: the hashes prove that nothing changed by accident, not who made it"
    signature = load_record(path, Signature, what="a signature")
    check_signature(signature, (folder / RELEASE).read_bytes(), public_key)
    whose = (
        "the key you named" if public_key else f"{signature.public_key}; name the key you trust to prove whose it is"
    )
    return f"release.json is signed by {whose}"


def _prove_version(folder: Path) -> Iterator[str]:
    manifest = load_record(folder / "manifest.json", AdapterManifest, what="an adapter's manifest")
    _prove_files(folder, manifest.files)
    extra = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        *manifest.files,
        "manifest.json",
    }
    if extra:
        raise Refused(
            "extra_files", f"{folder} holds files that its manifest does not name: {', '.join(sorted(extra))}"
        )
    yield f"{manifest.name} holds exactly the {len(manifest.files)} files of its manifest, whose hash is its name"


def _prove_complete(folder: Path, files: dict[str, str]) -> None:
    """A report or a decision that joined after the seal would be read as if it were sealed."""
    names = {str(path.relative_to(folder)) for path in list_sealed(folder)}
    extra = {name for name in names - files.keys() if not name.startswith("version/")}  # told by its own manifest
    if extra:
        raise Refused("extra_files", f"{folder} holds files that {RELEASE} does not name: {', '.join(sorted(extra))}")


def _prove_files(folder: Path, files: dict[str, str]) -> None:
    for name, wanted in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Refused("outside", f"the manifest names {name}, which is outside {folder}")
        if not path.is_file():
            raise Refused("missing_file", f"{path} is named in the manifest and absent")
        found = hash_file(path)
        if found != wanted:
            raise Refused("changed_file", f"{path} changed: expected sha256 {wanted}, found {found}")
