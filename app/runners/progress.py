"""Live progress: the trainer appends lines to `progress.jsonl`; the newest is shown, at a modest rate."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

FILE = "progress.jsonl"
#: Seconds between two looks. A person reads no faster, and each costs one write to the database.
EVERY_SECONDS = 2.0
#: What is looked at when much was appended since: lines are about 200 bytes, and only the newest counts.
_LONGEST_TAIL = 65_536


class TrainingProgress(BaseModel):
    """How far a stage is. Figures only: what else a line says stays in the file. `eta_seconds` is of this stage."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str = Field(max_length=64, pattern=r"^[\w:. -]+$")
    step: int = Field(ge=0)
    total: int = Field(ge=0)
    loss: FiniteFloat | None = None
    tokens_per_second: FiniteFloat | None = None
    eta_seconds: FiniteFloat | None = None


Hear = Callable[[TrainingProgress], Awaitable[None]]


def parse_newest(lines: bytes) -> TrainingProgress | None:
    """The last line that is one; a crash may leave half a line, and elsewhere anything may be written. Pure."""
    for line in reversed(lines.split(b"\n")):
        with contextlib.suppress(ValidationError):
            return TrainingProgress.model_validate_json(line)
    return None


class ProgressFile:
    """Reads what is new since it was last asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def read_newest(self) -> TrainingProgress | None:
        """None when nothing was added. A file that became shorter was written anew."""
        try:
            with self._path.open("rb") as stream:
                size = stream.seek(0, 2)
                begin = self._seen if self._seen <= size else 0
                stream.seek(max(begin, size - _LONGEST_TAIL))
                tail = stream.read(_LONGEST_TAIL)
        except FileNotFoundError:
            return None
        whole = tail[: tail.rfind(b"\n") + 1]
        self._seen = size - (len(tail) - len(whole))
        return parse_newest(whole)


@contextlib.asynccontextmanager
async def following(path: Path, hear: Hear, *, every_seconds: float = EVERY_SECONDS) -> AsyncIterator[None]:
    """While the block runs, and once at its end, tell the newest line."""
    file = ProgressFile(path)

    async def tell() -> None:
        newest = await asyncio.to_thread(file.read_newest)
        if newest is not None:
            await hear(newest)

    ended = asyncio.Event()

    async def follow() -> None:
        while not ended.is_set():
            await tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), every_seconds)

    follower = asyncio.create_task(follow())
    try:
        yield
    finally:
        ended.set()  # not cancelled: a line that was read and not told would count as told
        await follower
    await tell()
