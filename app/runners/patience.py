"""Asking something far away again and again for hours: one silence is nothing, many in a row are."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.domain.errors import RetryLater

Answer = TypeVar("Answer")
#: Silences in a row before the step is given back to the engine, which waits longer and longer.
_SILENCES = 12


async def ask_until(
    ask: Callable[[], Awaitable[Answer]], is_last: Callable[[Answer], bool], *, every_seconds: float
) -> Answer:
    """The first answer that is the last one.

    Raises:
        RetryLater: after twelve silences in a row.
    """
    silences = 0
    while True:
        try:
            answer = await ask()
        except RetryLater:
            silences += 1
            if silences >= _SILENCES:
                raise
        else:
            silences = 0
            if is_last(answer):
                return answer
        await asyncio.sleep(every_seconds)
