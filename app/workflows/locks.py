"""One process per SQLite file, held by the kernel: the lock goes with the process, however it dies."""

import fcntl
import os
from pathlib import Path

from app.domain.errors import UserError, spoken_place


class FileLock:
    """An exclusive `flock` on a file beside what it protects. Holding it is holding the object."""

    def __init__(self, path: Path) -> None:
        """Take the lock, or refuse at once.

        Raises:
            UserError: naming the process that holds it.
        """
        with spoken_place(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise UserError(
                f"expected to be the only Understudy on {path.with_suffix('')}, but process {holder} has it open; "
                "stop that process, or use PostgreSQL (UNDERSTUDY_DATABASE_URL) to run several"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two different files."""
        os.close(self._descriptor)
