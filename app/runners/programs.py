"""Command-line programs of others, run to their end."""

import asyncio
import contextlib
import os
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import RetryLater, UserError

_SECONDS = 900.0
_TAIL = 2_000
_MISSING_SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    error: str

    @property
    def tail(self) -> str:
        return (self.error or self.out)[-_TAIL:].strip()


async def run_program(command: Sequence[str], *, seconds: float = _SECONDS) -> Said:
    """Its exit status and what it said. It gets none of our secrets: UNDERSTUDY_* is left out.

    Raises:
        UserError: when there is no such program.
        RetryLater: when it takes longer than `seconds`.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
        )
    except FileNotFoundError as error:
        raise UserError(
            f"expected the program {command[0]} on PATH, found none; install it, then start again"
        ) from error
    try:
        async with asyncio.timeout(seconds):
            out, wrong = await process.communicate()
    except TimeoutError:
        raise RetryLater(f"{command[0]} did not answer within {seconds:.0f} s", _MISSING_SECONDS) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Said(process.returncode or 0, out.decode("utf-8", "replace"), wrong.decode("utf-8", "replace"))
