"""What multiplies the weights: this process, or the server that will answer. Both are asked the same two things."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.domain.prompt import Message
from training.rows.tokenising import TokenRow

#: How much is done, of how much.
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Answer:
    """Greedy, unconstrained. `stopped` is true when the end token came within the limit."""

    text: str
    stopped: bool


class Engine(Protocol):
    """`name` is the library and its version, `precision` how the weights are held; both head the report."""

    @property
    def name(self) -> str: ...

    @property
    def precision(self) -> str: ...

    def logprobs(self, rows: Sequence[TokenRow], told: Told | None = None) -> list[float]:
        """Mean log-probability per completion token (nats), one per row, in order."""
        ...

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int, told: Told | None = None) -> list[Answer]:
        """The most likely answer to each prompt, at most `limit` tokens, in order."""
        ...

    def without_adapter(self) -> AbstractContextManager[None]:
        """Within: the bare base is asked."""
        ...


@dataclass(frozen=True)
class Bare:
    """The same engine's base."""

    engine: Engine

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int) -> list[Answer]:
        with self.engine.without_adapter():
            return self.engine.answers(prompts, limit)
