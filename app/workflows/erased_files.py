"""What an erasure does to files: mirrors, exports, logs, adapters. Everything here may run again."""

import asyncio
from pathlib import Path

from app.dataset.erasing import remove_folder
from app.domain.errors import Refused, RetryLater
from app.github.git import lock_mirror
from app.inference.adapter_control import AdapterControl
from app.inference.front import Front, read_front
from app.workflows.context import services


def remove_mirror(mirror: Path) -> bool:
    """False when there was none. Whoever works with it is waited for."""
    if not mirror.is_dir():
        return False
    with lock_mirror(mirror):
        removed = remove_folder(mirror)
    Path(f"{mirror}.lock").unlink(missing_ok=True)
    return removed


def remove_entry(path: Path) -> bool:
    """A file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        return remove_folder(path)
    path.unlink(missing_ok=True)
    return True


def clean_log(path: Path, names: frozenset[str]) -> int:
    """Lines that name it go; the file stays the same file, for somebody may be writing to it."""
    try:
        with path.open("r+", encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = file.readlines()
            kept = [line for line in lines if not any(name in line.lower() for name in names)]
            if len(kept) < len(lines):
                file.seek(0)
                file.writelines(kept)
                file.truncate()
    except FileNotFoundError:
        return 0
    return len(lines) - len(kept)


async def delete_adapters(names: list[str]) -> int:
    """Unload and delete; returns how many there were.

    Raises:
        RetryLater: while a server that has them does not answer.
    """
    await _unload(names)

    def delete() -> int:
        data = services().data
        for name in names:
            (data / "probes" / f"{name}.json").unlink(missing_ok=True)
            for server in services().servers:
                remove_folder(server / "adapters" / name)
        return sum(remove_folder(data / "adapters" / name) for name in names)

    return await asyncio.to_thread(delete)


async def _unload(names: list[str]) -> None:
    """Of every server; one that is away is told at the next attempt, and holds up no other."""
    away: list[RetryLater | Refused] = []
    for server in services().servers if names else ():
        if not (server / "front.json").exists():
            continue  # nothing serves there; its copies are deleted as files
        try:
            await _unload_from(read_front(server, services().serving_hosts), names)
        except (RetryLater, Refused) as error:
            away.append(error)
    if away:
        raise away[0]


async def _unload_from(front: Front, names: list[str]) -> None:
    async with AdapterControl(front.url, front.control_key) as control:
        for name in names:
            await control.ensure_unloaded(name)
