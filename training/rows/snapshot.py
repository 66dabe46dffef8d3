"""Reading a DatasetSnapshot folder: complete, unchanged, and of the prompt version this code renders."""

from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import UserError
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow, Part, SnapshotManifest, WrittenRow
from training.process.files import RowT, hash_file, load_record, load_rows


@dataclass(frozen=True)
class Snapshot:
    """A verified snapshot folder; rows are read when asked for."""

    folder: Path
    manifest: SnapshotManifest

    @property
    def id(self) -> str:
        return self.manifest.id

    def comments(self, part: Part) -> list[CommentRow]:
        return self._rows(f"comments.{part}.jsonl", CommentRow)

    def hunks(self, part: Part) -> list[HunkRow]:
        return self._rows(f"lines.{part}.jsonl", HunkRow)

    def outcomes(self, part: Part) -> list[OutcomeRow]:
        return self._rows(f"outcomes.{part}.jsonl", OutcomeRow)

    def written(self, part: Part) -> list[WrittenRow]:
        return self._rows(f"written.{part}.jsonl", WrittenRow)

    def _rows(self, name: str, kind: type[RowT]) -> list[RowT]:
        """A file that the manifest does not name holds no rows: a snapshot of comments alone is a snapshot."""
        return load_rows(self.folder / name, kind) if name in self.manifest.files else []


def load_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot and prove every file against the manifest.

    Raises:
        UserError: when the folder is incomplete, a file changed (it is named), or the prompt version differs.
    """
    manifest = load_record(
        folder / "manifest.json", SnapshotManifest, what="the manifest of a complete snapshot (it is written last)"
    )
    for name, wanted in manifest.files.items():
        _prove(folder / name, wanted)
    if manifest.prompt_version != PROMPT_VERSION:
        raise UserError(
            f"{folder} holds prompts of version {manifest.prompt_version}, this code renders {PROMPT_VERSION}; "
            "build the snapshot again"
        )
    return Snapshot(folder, manifest)


def _prove(path: Path, wanted: str) -> None:
    if not path.is_file():
        raise UserError(f"snapshot file {path} is named in the manifest but absent; build the snapshot again")
    found = hash_file(path)
    if found != wanted:
        raise UserError(
            f"snapshot file {path} changed: expected sha256 {wanted}, found {found}; a snapshot is immutable, "
            "build it again"
        )
