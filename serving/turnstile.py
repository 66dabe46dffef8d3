"""Lets answers go together and scorings one by one.

vLLM 0.32 ends its engine when it scores the tokens of a prompt (`prompt_logprobs`) in a batch with another request
while an adapter is in use: on a CPU its LoRA path for the output layer holds one row per request where there is one per
token, and only a single row broadcasts (`einsum(): subscript b has size 4 ... previously seen size 160`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turnstile:
    """Whoever is alone keeps all others out; those who wait to be alone go before those who come later."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._inside = 0
        self._waiting = 0
        self._taken = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._taken and not self._waiting)
            self._inside += 1
        try:
            yield
        finally:
            async with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        await self._take()
        try:
            yield
        finally:
            async with self._changed:
                self._taken = False
                self._changed.notify_all()

    async def _take(self) -> None:
        async with self._changed:
            self._waiting += 1
            try:
                await self._changed.wait_for(lambda: not self._taken and not self._inside)
                self._taken = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()
