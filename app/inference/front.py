"""Where the serving program listens and the keys it wrote for us, read anew each time: it may have been restarted."""

import json
import os
from collections.abc import Collection
from pathlib import Path

import httpx

from app.domain.base import Record
from app.domain.errors import Refused, RetryLater
from app.domain.loopback import is_loopback

#: The file in the serving program's state folder that holds the key for completions.
READ_KEY = "read.key"
_PAUSE_SECONDS = 5.0


class Front(Record):
    """`read_key` opens completions, `control_key` loading and unloading."""

    url: str
    read_key: str
    control_key: str


def read_front(folder: Path, agreed_hosts: Collection[str] = ()) -> Front:
    """From the state folder of `python -m serving run`. The program that writes there reads other people's code; what
    it names is asked only on this machine, or where an operator agreed to it.

    Raises:
        RetryLater: while nothing is served from there.
        Refused: `front_host`, when it names another host.
    """
    try:
        front = Front(
            url=json.loads(_read(folder / "front.json"))["url"],
            read_key=_read(folder / READ_KEY).strip(),
            control_key=_read(folder / "control.key").strip(),
        )
    except (OSError, ValueError, KeyError) as error:
        raise RetryLater(
            f"expected a running model server with its state in {folder}; start it with "
            f"`.venv/bin/python -m serving run --base DIR --state {folder}`",
            _PAUSE_SECONDS,
        ) from error
    host = _host_of(front.url)
    if not (is_loopback(host) or host in agreed_hosts):
        raise Refused(
            "front_host",
            f"expected a model server on this machine, {folder / 'front.json'} names {host[:200]!r}; if prompts with "
            "code shall go there, name that host in UNDERSTUDY_SERVING_HOSTS",
        )
    return front


def _read(path: Path) -> str:
    """Not through a link: it could name a secret of ours, which would then be sent as the key."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as stream:
        return stream.read()


def _host_of(url: object) -> str:
    """Empty for what is no address."""
    try:
        parsed = httpx.URL(str(url))
    except httpx.InvalidURL:
        return ""
    return parsed.host if parsed.scheme in ("http", "https") else ""
