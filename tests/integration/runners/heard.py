"""A listener that remembers, and a task with everything below one folder."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from app.runners.progress import TrainingProgress
from app.runners.running import Listener


@dataclass
class Heard:
    steps: list[TrainingProgress] = field(default_factory=list)
    acts: list[tuple[str, dict[str, JsonValue]]] = field(default_factory=list)

    @property
    def listener(self) -> Listener:
        async def progress(newest: TrainingProgress) -> None:
            self.steps.append(newest)

        async def act(action: str, detail: Mapping[str, JsonValue]) -> None:
            self.acts.append((action, dict(detail)))

        return Listener(progress=progress, act=act)


async def until(is_so: Callable[[], object], work: "asyncio.Task[None] | None" = None) -> None:
    """Wait for what another task or process brings about; `work` may not end before."""
    async with asyncio.timeout(20):
        while not is_so():
            if work is not None and work.done():
                work.result()
                raise AssertionError("it ended too early")
            await asyncio.sleep(0.01)
