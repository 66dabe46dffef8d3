"""One trainer per folder: a kernel lock that ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.adapters import TRAINER_LOCK
from app.domain.errors import Refused, spoken_place


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold the folder for this process.

    Raises:
        Refused: when another process holds it; the message names its id.
        UserError: when the folder can't be made or written.
    """
    path = folder / TRAINER_LOCK
    with spoken_place(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = path.read_text().strip() or "unknown"
            raise Refused(
                "folder_in_use", f"{folder} is being trained in by process {holder}; wait for it or name another folder"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
