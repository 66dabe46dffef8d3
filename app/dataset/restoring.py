"""An export, or a file of somebody else's rows, becomes a snapshot.

A whole folder of ours becomes the snapshot it was made of: the same bytes and the same id. Anything else becomes a
new snapshot that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.dataset.exporting import CARRIED, facts_name
from app.dataset.folder import MANIFEST, Assembled, hash_bytes, write_folder
from app.dataset.foreign import NO_MOMENT, fill_unknown, parse_spoken
from app.dataset.formats import BoundFacts, Format, SpokenRow, comment_row, written_row
from app.dataset.reading import TABLES, Held, file_name, parse_lines, table_of
from app.dataset.refusing import Refusal, Scanner, refuse_secrets
from app.dataset.snapshot import PARTS, render_lines
from app.dataset.split import Pull, decide_split, settle_comments
from app.dataset.tables import load_parquet, parse_rows
from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.prompt import PROMPT_VERSION, SYSTEM, parse_completion
from app.domain.snapshots import CommentRow, Part, SnapshotManifest

#: The prompt version of rows that our renderer did not write. Training refuses it: an adapter that learned other
#: prompts than the service sends answers something else.
FOREIGN_PROMPTS = "foreign"


@dataclass(frozen=True)
class Origin:
    """Where the rows of an import come from, and what its snapshot is to be called."""

    installation: str
    source: str
    created_at: datetime


def import_rows(
    source: Path, form: Format, folder: Path, scanner: Scanner | None, *, installation: str, created_at: datetime
) -> Refusal:
    """A snapshot in `folder` from an exported folder, or from one file of rows.

    Raises:
        UserError: naming file, row and field of what can't be read.
    """
    origin = Origin(installation, f"import:{source.name}:{form.value}", created_at)
    if source.is_dir():
        held = _load_folder(source, form, origin)
    elif source.is_file():
        held = _assemble({"train": _load_spoken(source, form, {})}, origin)
    else:
        raise UserError(f"{source}: expected an export's folder or a file of rows, found neither")
    refusal = Refusal(held, {}) if scanner is None else refuse_secrets(held, scanner)
    if not any(refusal.held.manifest.counts.values()):
        raise UserError(f"{source}: expected at least one row to learn from, got none")
    write_folder(Assembled(files=refusal.held.files, manifest=refusal.held.manifest), folder)
    return refusal


def _load_folder(source: Path, form: Format, origin: Origin) -> Held:
    before = _load_manifest(source / CARRIED / MANIFEST)
    if form is Format.PARQUET and before is not None:
        return _settle_files(_load_tables(source), source, before)
    parts: dict[Part, list[SpokenRow]] = {}
    for part in PARTS:
        path = _spoken_file(source, part, form)
        if path is not None:
            parts[part] = _load_spoken(path, form, _load_facts(source / CARRIED / facts_name(part)))
    if not parts:
        raise UserError(f"{source}: expected train.{_suffix(form)} (and heldout.{_suffix(form)}), found neither")
    return _assemble(parts, origin) if before is None else _settle_files(_spoken_files(parts, before), source, before)


def _suffix(form: Format) -> str:
    return "parquet" if form is Format.PARQUET else "jsonl"


def _spoken_file(source: Path, part: Part, form: Format) -> Path | None:
    path = source / f"{part}.{_suffix(form)}"
    return path if path.is_file() else None


def _load_manifest(path: Path) -> SnapshotManifest | None:
    if not path.is_file():
        return None
    try:
        return SnapshotManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UserError(f"{path}: expected a snapshot manifest, got {error.errors()[0]['msg']}") from error


def _load_facts(path: Path) -> dict[str, BoundFacts]:
    if not path.is_file():
        return {}
    return {facts.words: facts for facts in parse_lines(str(path), path.read_bytes(), BoundFacts)}


def _load_spoken(path: Path, form: Format, facts: Mapping[str, BoundFacts]) -> list[SpokenRow]:
    rows: Sequence[bytes | dict[str, Any]]
    try:
        rows = load_parquet(path) if form is Format.PARQUET else path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"{path}: expected a file of rows, could not read it: {error}") from error
    return parse_spoken(str(path), rows, facts)


def _load_tables(source: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for table, kind in TABLES.items():
        for part in PARTS:
            path = source / table / f"{part}.parquet"
            if path.is_file():
                rows = parse_rows(path, load_parquet(path), kind)
                files[file_name(table, part)] = render_lines(row for row in rows if isinstance(row, Record))
    return files


def _spoken_files(parts: Mapping[Part, Sequence[SpokenRow]], before: SnapshotManifest | None) -> dict[str, bytes]:
    """The files of comments and of what else was written; those that the manifest does not know only with rows."""
    files: dict[str, bytes] = {}
    for part in PARTS:
        filled = [fill_unknown(row) for row in parts.get(part, [])]
        told: dict[str, list[Any]] = {
            "comments": [comment_row(row) for row in filled],
            "written": [written_row(row) for row in filled],
        }
        for table, rows in told.items():
            content = render_lines(row for row in rows if row is not None)
            name = file_name(table, part)
            if content or (before is not None and name in before.files):
                files[name] = content
    return files


def _settle_files(files: dict[str, bytes], source: Path, before: SnapshotManifest) -> Held:
    """With what was carried along; under the manifest it had, unless a file is another than it says."""
    for path in sorted((source / CARRIED).iterdir()):
        if path.name in before.files and path.name not in files:
            files[path.name] = path.read_bytes()
            table = table_of(path.name)
            if table is not None:
                parse_lines(str(path), files[path.name], TABLES[table])
    missing = sorted(set(before.files) - set(files))
    if missing:
        raise UserError(f"{source}: expected the rows of {', '.join(missing)}, found none; export the snapshot again")
    hashes = {name: hash_bytes(content) for name, content in files.items()}
    changed = sorted(name for name, found in hashes.items() if before.files.get(name) != found)
    if not changed:
        return Held(before, {name: files[name] for name in before.files})
    counts = {name: content.count(b"\n") for name, content in files.items()}
    told = {"files": hashes, "counts": counts, "source": f"{before.id} with changes to {', '.join(changed)}"}
    return Held(before.model_copy(update=told), files)


def _assemble(parts: Mapping[Part, list[SpokenRow]], origin: Origin) -> Held:
    """A new snapshot of rows alone: nothing is known of the lines that reviewers left alone."""
    divided = _divide(parts)
    files = _spoken_files(divided.rows, None)
    left_out = dict(divided.left_out)
    comments = [parse_lines(_comments(part), files.get(_comments(part), b""), CommentRow) for part in PARTS]
    for part, settled in zip(PARTS, settle_comments(*comments), strict=True):
        files[_comments(part)] = render_lines(settled.rows)
        left_out |= settled.left_out
    manifest = SnapshotManifest(
        installation=origin.installation,
        prompt_version=_prompt_version(files),
        created_at=origin.created_at,
        split=divided.rule,
        files={name: hash_bytes(content) for name, content in files.items()},
        counts={name: content.count(b"\n") for name, content in files.items()},
        left_out=dict(sorted(left_out.items())),
        source=origin.source,
    )
    return Held(manifest, files)


def _comments(part: Part) -> str:
    return file_name("comments", part)


@dataclass(frozen=True)
class _Divided:
    rows: dict[Part, list[SpokenRow]]
    rule: str
    left_out: dict[str, int]


def _divide(parts: Mapping[Part, list[SpokenRow]]) -> _Divided:
    """As given where both parts are; else by time and pull request, rows of unknown time first, as they stand."""
    train = parts.get("train", [])
    if "heldout" in parts:
        reserved = {_pull(row, 0) for row in parts["heldout"] if row.pull_request}
        kept = [row for row in train if _pull(row, 0) not in reserved]
        left_out = {"import:pull_request_in_heldout": len(train) - len(kept)} if len(kept) < len(train) else {}
        rows: dict[Part, list[SpokenRow]] = {"train": kept, "heldout": parts["heldout"]}
        return _Divided(rows, "as given: the rows of the heldout file are held out", left_out)
    pulls = [_pull(row, number) for number, row in enumerate(train)]
    split = decide_split((row.created_at, pull) for row, pull in zip(train, pulls, strict=True))
    rows = {"train": [], "heldout": []}
    for row, pull in zip(train, pulls, strict=True):
        rows[split.parts[pull]].append(row)
    unknown = sum(row.created_at == NO_MOMENT for row in train)
    note = f"; {unknown} rows of unknown time count as the oldest, as they stand in the file" if unknown else ""
    return _Divided(rows, split.rule + note, {})


def _pull(row: SpokenRow, number: int) -> Pull:
    """A row without a pull request is one of its own, by its number: nothing is known that it could share."""
    return (row.repository, row.pull_request) if row.pull_request else ("", number)


def _prompt_version(files: Mapping[str, bytes]) -> str:
    rows = [row for part in PARTS for row in parse_lines(_comments(part), files[_comments(part)], CommentRow)]
    ours = all(row.prompt[0].content == SYSTEM and parse_completion(row.completion[0].content) for row in rows)
    return PROMPT_VERSION if ours else FOREIGN_PROMPTS
