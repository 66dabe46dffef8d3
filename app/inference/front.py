"""Where the serving program listens and the keys it wrote for us, read anew each time: it may have been restarted."""

import json
from pathlib import Path

from app.domain.base import Record
from app.domain.errors import RetryLater

#: The file in the serving program's state folder that holds the key for completions.
READ_KEY = "read.key"
_PAUSE_SECONDS = 5.0


class Front(Record):
    """`read_key` opens completions, `control_key` loading and unloading."""

    url: str
    read_key: str
    control_key: str


def read_front(folder: Path) -> Front:
    """From the state folder of `python -m serving run`.

    Raises:
        RetryLater: while nothing is served from there.
    """
    try:
        return Front(
            url=json.loads((folder / "front.json").read_text())["url"],
            read_key=(folder / READ_KEY).read_text().strip(),
            control_key=(folder / "control.key").read_text().strip(),
        )
    except (OSError, ValueError, KeyError) as error:
        raise RetryLater(
            f"expected a running model server with its state in {folder}; start it with "
            f"`python -m serving run --state {folder}`",
            _PAUSE_SECONDS,
        ) from error
