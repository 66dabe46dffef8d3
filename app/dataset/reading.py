"""A snapshot folder back in memory: proven against its manifest, then read row by row."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.dataset.folder import verify_snapshot
from app.domain.errors import Refused, UserError
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow, Part, SnapshotManifest, WrittenRow

RowT = TypeVar("RowT", bound=BaseModel)

#: What the lines of `<table>.{train,heldout}.jsonl` are. Files of other names are carried along unread.
TABLES: dict[str, type[BaseModel]] = {
    "comments": CommentRow,
    "lines": HunkRow,
    "outcomes": OutcomeRow,
    "written": WrittenRow,
}


def file_name(table: str, part: Part) -> str:
    return f"{table}.{part}.jsonl"


def table_of(name: str) -> str | None:
    """The table that a file name belongs to, None for a file that is carried along."""
    return next((table for table in TABLES for part in ("train", "heldout") if name == f"{table}.{part}.jsonl"), None)


@dataclass(frozen=True)
class Held:
    """A snapshot's manifest and the bytes of every file it names."""

    manifest: SnapshotManifest
    files: dict[str, bytes]

    def rows(self, table: str, part: Part, kind: type[RowT]) -> list[RowT]:
        """No rows where the snapshot has no such file.

        Raises:
            UserError: naming file, row and field of a row that is none.
        """
        name = file_name(table, part)
        return parse_lines(name, self.files.get(name, b""), kind)


def load_held(folder: Path) -> Held:
    """Read a snapshot folder.

    Raises:
        UserError: when it is no complete snapshot, or a file is not what the manifest says.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: expected a snapshot folder, found none; `import-comments` or a round makes one")
    try:
        manifest = verify_snapshot(folder)
    except Refused as error:
        raise UserError(str(error)) from error
    return Held(manifest, {name: (folder / name).read_bytes() for name in manifest.files})


def parse_lines(name: str, content: bytes, kind: type[RowT]) -> list[RowT]:
    """One record a line; empty lines are passed over.

    Raises:
        UserError: naming file, row and field.
    """
    rows: list[RowT] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                rows.append(kind.model_validate_json(line))
            except ValidationError as error:
                raise explain_row(name, number, error) from error
    return rows


def explain_row(name: str, number: int, error: ValidationError) -> UserError:
    """The first thing that is wrong with a row, in a sentence."""
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"])) or "the row"
    reason = first["msg"].lower()
    if first["type"] == "json_invalid" and "hex escape" in reason:
        reason = f"a lone surrogate, half of a character that no file can hold: {reason}"
    return UserError(
        f"{name}, row {number}: expected {field} to be valid ({reason}), "
        f"got {ascii(first['input'])[:60]}; correct or remove the row"
    )
