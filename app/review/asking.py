"""Several questions at once, for so long and no longer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import TypeVar

AnswerT = TypeVar("AnswerT")
#: Questions that are under way at once: more would only wait in the server, and the wait for one answer has an end.
_AT_ONCE = 32


class Late(Enum):
    """In the place of an answer that did not come in time."""

    LATE = "late"


async def ask_within(seconds: float, questions: Sequence[Callable[[], Awaitable[AnswerT]]]) -> list[AnswerT | Late]:
    """The answers in the order of the questions. Those still under way when the time is over are cancelled, which a
    model server notices by its closed connection.

    Raises:
        Whatever a question raises; the others are cancelled then.
    """
    turn = asyncio.Semaphore(_AT_ONCE)

    async def ask(question: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        async with turn:
            return await question()

    tasks = [asyncio.ensure_future(ask(question)) for question in questions]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
        return [task.result() if task.done() else Late.LATE for task in tasks]
    finally:
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
