"""Workflows for the tests of the engine, and a program that runs them so that it can be killed.

`python -m tests.integration.workflows.samples URL FOLDER [ID…]` boots, starts `sample` under each ID, prints "ready"
and then only lives. Effects on the world are lines in FOLDER/effects. While there is a FOLDER/hold, `slow` and
`exclusive` do not end: a test that looks late still finds them under way.
"""

import asyncio
import os
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from app.domain.errors import Refused, RetryLater
from app.runners.children import run_child
from app.store.deliveries import save_deliveries
from app.store.tables import DeliveryRow
from app.workflows import engine
from app.workflows.engine import scheduled, step, transaction, workflow
from app.workflows.runs import Queue

#: Where effects go; set by `in_folder` in the test's own process, by the second argument in the program.
_folder: list[Path] = []
_SLOW_SECONDS = 1.0


def in_folder(folder: Path) -> None:
    _folder[:] = [folder]


def effect(text: str) -> None:
    with (_folder[0] / "effects").open("a") as file:
        file.write(text + "\n")


def effects(folder: Path) -> list[str]:
    path = folder / "effects"
    return path.read_text().splitlines() if path.exists() else []


def hold(folder: Path) -> Path:
    """Unlink it to let them go."""
    path = folder / "hold"
    path.touch()
    return path


async def _work(seconds: float) -> None:
    held = _folder[0] / "hold"
    if not held.exists():
        await asyncio.sleep(seconds)
    while held.exists():  # noqa: ASYNC110 - another process unlinks it
        await asyncio.sleep(0.02)


@step()
async def first(key: str) -> None:
    effect(f"first {key}")


@step()
async def slow(key: str) -> None:
    effect(f"slow {key} {os.getpid()}")
    await _work(_SLOW_SECONDS)
    effect(f"slept {key}")


@transaction
def save(session: Session, key: str) -> bool:
    return bool(save_deliveries(session, [DeliveryRow(guid=key, event="sample", body=b"")]))


@workflow("sample")
async def sample(key: str) -> str:
    await first(key)
    await slow(key)
    await save(key)
    return f"done {key}"


@step()
async def hurried(key: str, failures: int) -> int:
    done = effects(_folder[0]).count(f"hurried {key}")
    effect(f"hurried {key}")
    if done < failures:
        raise RetryLater("not yet", 1.5)
    return done


@workflow("patient")
async def patient(key: str, failures: int) -> int:
    return await hurried(key, failures)


@step()
async def refused(key: str) -> None:
    effect(f"refused {key}")
    raise Refused("a_reason", "a message")


@transaction
def refused_write(session: Session, key: str) -> None:
    save_deliveries(session, [DeliveryRow(guid=key, event="sample", body=b"")])
    raise Refused("another_reason", "another message")


@workflow("refusing")
async def refusing(key: str) -> list[str]:
    """The same reasons whether the steps run or are replayed after the slow one."""
    reasons = []
    for act in (refused, refused_write):
        try:
            await act(key)
        except Refused as error:
            reasons.append(error.reason)
    await slow(key)
    return reasons


@step()
async def long(key: str) -> None:
    effect(f"begun {key}")
    try:
        await asyncio.sleep(60)
    finally:
        effect(f"ended {key}")


@workflow("long")
async def long_flow(key: str) -> None:
    await long(key)
    await first(key)


@step()
async def fragile(key: str) -> str:
    effect(f"fragile {key}")
    if not (_folder[0] / "mended").exists():
        raise ValueError("broken")
    return "mended"


@workflow("fragile")
async def fragile_flow(key: str) -> str:
    return await fragile(key)


@step()
async def exclusive(key: str) -> None:
    effect(f"enter {key}")
    await _work(0.3)
    effect(f"leave {key}")


@workflow("exclusive")
async def exclusive_flow(key: str) -> None:
    await engine.progress(stage="exclusive", key=key)
    await exclusive(key)


@step()
async def parent_of_child(key: str) -> int:
    """A child that writes its pid and lives for a minute."""
    code = f"import os, time; open({str(_folder[0] / 'child')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    return await run_child(["-c", code], log=_folder[0] / f"{key}.log", lock=_folder[0] / "lock")


@workflow("parent")
async def parent(key: str) -> int:
    return await parent_of_child(key)


@scheduled("every_second", "* * * * * *")
async def every_second(at: datetime) -> None:
    if _folder:
        await ticked(at.isoformat())


@step()
async def ticked(moment: str) -> None:
    with (_folder[0] / "ticks").open("a") as file:
        file.write(moment + "\n")


def main(url: str, folder: str, *keys: str) -> None:
    in_folder(Path(folder))
    began = time.monotonic()
    engine.boot(url, polling_seconds=0.1, scheduled=False)
    for key in keys:
        name, _, argument = key.rpartition("=")
        engine.start(name or "sample", key, argument, queue=Queue.INTAKE)
    print(f"ready {time.monotonic() - began:.2f}", flush=True)  # noqa: T201 - the test reads it
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
