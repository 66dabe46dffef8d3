"""A snapshot as a folder that other trainers load, with a card, and with all that is needed to come back unchanged.

<name>.jsonl or <table>/<part>.parquet   the rows in the chosen format
snapshot/                                the manifest, and every file that the format has no room for
README.md                                the dataset card
axolotl.yaml or unsloth.yaml             a training that those trainers run as it is, in their formats only
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.dataset.card import CardConfig, render_card
from app.dataset.folder import MANIFEST
from app.dataset.formats import Format, bind_facts, render_line, spoken_rows
from app.dataset.reading import TABLES, Held, file_name, load_held, table_of
from app.dataset.refusing import Refusal, Scanner, refuse_secrets
from app.dataset.snapshot import PARTS, render_lines
from app.dataset.tables import render_parquet
from app.dataset.trainer_configs import load_recipe, render_axolotl, render_unsloth
from app.domain.errors import UserError
from app.domain.snapshots import SnapshotManifest

#: Where an export keeps the manifest and what its format does not carry.
CARRIED = "snapshot"


def facts_name(part: str) -> str:
    return f"facts.{part}.jsonl"


def export_snapshot(folder: Path, form: Format, out: Path, scanner: Scanner | None) -> Refusal:
    """Write the snapshot in `folder` to the new folder `out`, without the rows that hold a secret.

    Raises:
        UserError: when `folder` is no snapshot or was changed, or `out` exists.
    """
    if out.exists():
        raise UserError(f"{out}: expected a folder that is not there yet, got one that is; choose another")
    held = load_held(folder)
    refusal = Refusal(held, {}) if scanner is None else refuse_secrets(held, scanner)
    _write_all(render_export(refusal, form, scanned=scanner is not None), out)
    return refusal


def render_export(refusal: Refusal, form: Format, *, scanned: bool) -> dict[str, bytes]:
    """Every file of an export by its path. Pure."""
    held = refusal.held
    if form is Format.PARQUET:
        files, configs = _tables(held)
    else:
        files, configs = _lines(held, form)
        if form is Format.AXOLOTL:
            files["axolotl.yaml"] = render_axolotl(configs[0], load_recipe())
        if form is Format.UNSLOTH:
            files["unsloth.yaml"] = render_unsloth(configs[0], load_recipe())
    card = render_card(held.manifest, form, configs, refused=refusal.refused, scanned=scanned)
    return {**files, **_carried(held, form), "README.md": card.encode()}


def _lines(held: Held, form: Format) -> tuple[dict[str, bytes], list[CardConfig]]:
    files: dict[str, bytes] = {}
    splits: dict[str, tuple[str, int]] = {}
    for part in PARTS:
        rows = spoken_rows(held, part)
        files[f"{part}.jsonl"] = b"".join(render_line(row, form) for row in rows)
        splits[part] = (f"{part}.jsonl", len(rows))
        if form is Format.OPENAI:
            files[f"{CARRIED}/{facts_name(part)}"] = render_lines(map(bind_facts, rows))
    return files, [CardConfig(name="default", splits=splits)]


def _tables(held: Held) -> tuple[dict[str, bytes], list[CardConfig]]:
    files: dict[str, bytes] = {}
    configs: list[CardConfig] = []
    for table, kind in TABLES.items():
        splits: dict[str, tuple[str, int]] = {}
        for part in PARTS:
            name = file_name(table, part)
            if name in held.files:
                path = f"{table}/{part}.parquet"
                files[path] = render_parquet(name, held.files[name], kind)
                splits[part] = (path, held.files[name].count(b"\n"))
        if splits:
            configs.append(CardConfig(name=table, splits=splits))
    return files, configs


def _carried(held: Held, form: Format) -> dict[str, bytes]:
    """The manifest, and the files of the snapshot that the format's own files do not hold."""
    told = set(TABLES) if form is Format.PARQUET else {"comments", "written"}
    rest = {f"{CARRIED}/{name}": content for name, content in held.files.items() if table_of(name) not in told}
    return {**rest, f"{CARRIED}/{MANIFEST}": render_manifest(held.manifest)}


def render_manifest(manifest: SnapshotManifest) -> bytes:
    return manifest.model_dump_json(indent=2).encode() + b"\n"


def _write_all(files: Mapping[str, bytes], out: Path) -> None:
    """Whole or not at all: under a temporary name that is renamed at the end."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name, content in files.items():
            target = partial / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        partial.chmod(0o755)
        partial.rename(out)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
