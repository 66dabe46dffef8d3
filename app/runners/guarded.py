"""Files in a folder that a training elsewhere writes to as well, and may have laid something of its own into."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal

from app.domain.errors import Refused

_FLAGS = {
    "rb": os.O_RDONLY,
    "wb": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "ab": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
}
#: What the kernel says of a link, and of a pipe that nobody reads.
_NO_FILE = (errno.ELOOP, errno.ENXIO)


def open_guarded(path: Path, mode: Literal["rb", "wb", "ab"]) -> BinaryIO:
    """The file itself, as `open`: where a link or a pipe lies in its place, that is not followed and nothing waits.

    Only the last part of the path is looked at: the folder must be one that nobody else can put a link in place of.

    Raises:
        Refused: `changed_file`, when it is no plain file.
    """
    refusal = Refused("changed_file", f"expected {path} to be a plain file, found a link or a device; delete it")
    try:
        descriptor = os.open(path, _FLAGS[mode] | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise refusal from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refusal
    return os.fdopen(descriptor, mode)
