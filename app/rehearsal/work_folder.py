"""The folder a rehearsal works in. It is cleared at each start, so it must be one that we made."""

import shutil
from pathlib import Path

from app.domain.errors import UserError, spoken_place

#: Its presence says that everything in the folder is ours to delete.
MARKER = ".understudy-work"
_WORDS = "Made by an Understudy rehearsal, which deletes what lies beside this file at its next start.\n"


def claim_work(folder: Path) -> None:
    """Make the folder, or find that it is one we made.

    Raises:
        UserError: when it holds files and no marker of ours, or can't be written.
    """
    with spoken_place(folder):
        if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise UserError(
                f"expected {folder} to be empty or made by a rehearsal, got a folder with files of somebody else's; "
                "its content would be deleted, so name another folder or move them away"
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(_WORDS, encoding="utf-8")


def clear_work(folder: Path) -> None:
    """Claim the folder and delete all it holds but the marker, which must outlive a clearing that is cut short."""
    claim_work(folder)
    with spoken_place(folder):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != MARKER:
                entry.unlink()
