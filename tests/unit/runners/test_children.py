"""A child ends when its parent wants it to."""

import asyncio
import time
from pathlib import Path

import pytest

from app.runners.children import run_child


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

    async def cancel_it() -> None:
        up = asyncio.Event()
        task = asyncio.create_task(run_child(["-c", code], log=tmp_path / "log", on_line=lambda _: up.set()))
        await up.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(cancel_it())
    assert time.monotonic() - began < 30, "left alone it goes on for 60 s"
