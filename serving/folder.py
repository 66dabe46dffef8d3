"""Reads an adapter folder and proves it before anything is loaded: exactly the files of its manifest, byte for byte.

What was proven is also what is served: the folder is copied while it is hashed, and vLLM reads the copy. Otherwise a
change between check and load, or a re-read after eviction from vLLM's cache, would serve weights nobody checked.
"""

import hashlib
import json
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain.adapters import ADAPTER_NAME, AdapterManifest, BaseCheckpoint, Probe, check_base
from app.domain.errors import Refused, UserError
from app.domain.goldens import FILE as GOLDENS
from app.domain.goldens import Goldens
from app.domain.prompt import PROMPT_VERSION
from serving.goldens import read_goldens
from serving.lora import check_config, check_tensors

MANIFEST = "manifest.json"
CONFIG = "adapter/adapter_config.json"
WEIGHTS = "adapter/adapter_model.safetensors"
PROBES = "probes.json"
#: File kinds that an adapter may hold. Pickles (.bin, .pt, .pkl ...) execute code when read and are none of them.
KINDS = (".json", ".safetensors", ".skops", ".onnx", ".md", ".jinja")
#: Bytes. Enough for rank 512 on a small base; a bound, so that a broken folder cannot fill the disk.
LARGEST_FILE = 4 << 30
_HEADER_LIMIT = 64 << 20
_PROBES: TypeAdapter[tuple[Probe, ...]] = TypeAdapter(tuple[Probe, ...])


@dataclass(frozen=True)
class ProvenAdapter:
    """A folder whose every byte was checked; `path` is ours alone."""

    manifest: AdapterManifest
    path: Path
    probes: tuple[Probe, ...]
    goldens: Goldens

    @property
    def weights_folder(self) -> Path:
        return self.path / "adapter"


def read_manifest(folder: Path, *, name: str, base: BaseCheckpoint) -> AdapterManifest:
    """The manifest, when it is of this name, this base and this prompt.

    Raises:
        Refused: with what was expected and what the folder holds.
    """
    if not ADAPTER_NAME.match(name):
        raise Refused("name", f"expected a name like 42--0123456789ab, got {name!r}")
    path = folder / MANIFEST
    if folder.is_symlink() or path.is_symlink() or not path.is_file():
        raise Refused("no_manifest", f"{folder} is no adapter folder: it has no {MANIFEST}, which is written last")
    try:
        manifest = AdapterManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise Refused("manifest", f"{path} is no adapter manifest: {error.errors()[0]['loc']}") from error
    if manifest.name != name:
        raise Refused("name", f"the content of {folder} is named {manifest.name}, but {name} was asked for")
    check_base(manifest, base)
    if manifest.prompt_version != PROMPT_VERSION:
        raise Refused("prompt", f"{name} was trained on prompt {manifest.prompt_version}, this is {PROMPT_VERSION}")
    return manifest


def read_precision(base: Path) -> str:
    """The type that vLLM holds this base's weights in: the one they are stored in."""
    config = json.loads((base / "config.json").read_bytes())
    return str(config.get("dtype", config.get("torch_dtype", "float32")))  # the key's older name


def adopt(folder: Path, *, name: str, base: BaseCheckpoint, into: Path, max_rank: int) -> ProvenAdapter:
    """Check the folder and copy it to `into/<name>`; a copy that is there is checked again instead.

    Raises:
        Refused: when anything is not as the manifest says, or vLLM would not compute it as PEFT does.
    """
    try:
        return _adopt(folder, name=name, base=base, into=into, max_rank=max_rank)
    except OSError as error:
        raise Refused("unreadable", f"cannot read the adapter folder {folder}: {error}") from error


def _adopt(folder: Path, *, name: str, base: BaseCheckpoint, into: Path, max_rank: int) -> ProvenAdapter:
    kept = into / name
    if kept.exists():
        return prove(kept, name=name, base=base, max_rank=max_rank)
    manifest = read_manifest(folder, name=name, base=base)
    _check_listing(folder, manifest)
    making = into / f".{name}"
    shutil.rmtree(making, ignore_errors=True)
    try:
        for inside, wanted in manifest.files.items():
            _copy(folder / inside, making / inside, inside=inside, wanted=wanted)
        shutil.copyfile(folder / MANIFEST, making / MANIFEST)
        prove(making, name=name, base=base, max_rank=max_rank)
        making.rename(kept)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return prove(kept, name=name, base=base, max_rank=max_rank)


def prove(folder: Path, *, name: str, base: BaseCheckpoint, max_rank: int) -> ProvenAdapter:
    """Every check, on a folder as it lies.

    Raises:
        Refused: naming the file that is wrong.
    """
    manifest = read_manifest(folder, name=name, base=base)
    _check_listing(folder, manifest)
    for inside, wanted in manifest.files.items():
        _check_hash(inside, found=_hash(folder / inside), wanted=wanted)
    for needed in (CONFIG, WEIGHTS, PROBES, GOLDENS):
        if needed not in manifest.files:
            raise Refused("missing_file", f"adapter {name} has no {needed}")
    config = _read_json(folder / CONFIG)
    _check_named_base(config.get("base_model_name_or_path"), manifest)
    check_config(config, max_rank=max_rank)
    check_tensors(read_shapes(folder / WEIGHTS), max_rank=max_rank)
    return ProvenAdapter(
        manifest=manifest,
        path=folder,
        probes=_read_probes(folder / PROBES),
        goldens=read_goldens(folder / GOLDENS),
    )


def _check_named_base(stated: object, manifest: AdapterManifest) -> None:
    """PEFT's own file names the base as well; what looks bases up by it (vLLM's resolvers) would take another."""
    if stated not in (None, manifest.base.name):
        raise Refused(
            "other_base", f"adapter_config.json names the base {stated!r}, the manifest {manifest.base.name!r}"
        )


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor name → shape, from the header of a safetensors file; no weight is read.

    Raises:
        Refused: when the file is no safetensors file.
    """
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= _HEADER_LIMIT:
            raise Refused("weights", f"{path.name} is no safetensors file")
        header = stream.read(size)
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        return {name: tuple(int(length) for length in entry["shape"]) for name, entry in entries.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise Refused("weights", f"{path.name} is no safetensors file") from error


def _check_listing(folder: Path, manifest: AdapterManifest) -> None:
    for inside in manifest.files:
        parts = PurePosixPath(inside)
        if parts.is_absolute() or ".." in parts.parts or "\\" in inside or str(parts) != inside:
            raise Refused("traversal", f"the manifest names {inside!r}, which does not stay inside the folder")
        if parts.suffix not in KINDS:
            raise Refused("file_kind", f"{inside} is of a kind that is never loaded; allowed are {', '.join(KINDS)}")
    wanted = {*manifest.files, MANIFEST}
    found = set(_walk(folder))
    for inside in sorted(found - wanted):
        raise Refused("extra_file", f"{inside} is in the adapter folder but not in its manifest; remove it")
    for inside in sorted(wanted - found):
        raise Refused("missing_file", f"{inside} is in the manifest but not in the adapter folder")


def _walk(folder: Path) -> list[str]:
    """Relative names of all regular files; anything but files and folders is refused."""
    names = []
    for path in sorted(folder.rglob("*")):
        inside, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if stat.S_ISREG(mode):
            names.append(inside)
        elif not stat.S_ISDIR(mode):
            raise Refused("symlink", f"{inside} is neither a file nor a folder; links are not followed")
    return names


def _copy(source: Path, target: Path, *, inside: str, wanted: str) -> None:
    if source.stat().st_size > LARGEST_FILE:
        raise Refused("too_large", f"{inside} has {source.stat().st_size} bytes, at most {LARGEST_FILE} are taken")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    if target.is_symlink():
        raise Refused("symlink", f"{inside} is a link; links are not followed")
    _check_hash(inside, found=_hash(target), wanted=wanted)


def _check_hash(inside: str, *, found: str, wanted: str) -> None:
    if found != wanted:
        raise Refused("tampered", f"{inside} has sha256 {found}, but the manifest says {wanted}; it was changed")


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise Refused("config", f"{path.name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused("config", f"{path.name} must hold an object")
    return value


def _read_probes(path: Path) -> tuple[Probe, ...]:
    try:
        probes = _PROBES.validate_json(path.read_bytes())
    except ValidationError as error:
        raise Refused("probes", f"{path.name} must hold a list of probes: {error.errors()[0]['msg']}") from error
    if not probes:
        raise Refused("probes", f"{path.name} is empty; without a probe nothing proves that the adapter is served")
    for number, probe in enumerate(probes):
        if not 0 < probe.completion_tokens < len(probe.tokens):
            raise Refused("probes", f"probe {number} scores {probe.completion_tokens} of {len(probe.tokens)} tokens")
    return probes


def read_base(folder: Path) -> BaseCheckpoint:
    """The base that will be served, after proving that the files are those base.json speaks of.

    The hashes are those of training/base/making.py; a test holds the two equal.

    Raises:
        UserError: when the folder is no base or was changed.
    """
    try:
        stated = BaseCheckpoint.model_validate_json((folder / "base.json").read_bytes())
        weights = hashlib.sha256()
        for path in [folder / "config.json", *sorted(folder.glob("*.safetensors"))]:
            weights.update(f"{path.name}:{_hash(path)}\n".encode())
        found = {
            "weights_hash": weights.hexdigest(),
            "tokenizer_hash": _hash(folder / "tokenizer.json"),
            "template_hash": _hash(folder / "chat_template.jinja"),
        }
    except (OSError, ValidationError) as error:
        raise UserError(
            f"expected a base checkpoint folder at {folder} (make one: .venv/bin/python -m training base "
            f"--out DIR): {error}"
        ) from error
    for field, value in found.items():
        if getattr(stated, field) != value:
            raise UserError(
                f"{folder}: {field} is {value}, but base.json states {getattr(stated, field)}; make it anew"
            )
    return stated
