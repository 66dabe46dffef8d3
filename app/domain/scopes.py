"""A function or class of a file by its rows, and who can tell them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class Scope(NamedTuple):
    """Rows from 0, all inclusive: where it begins with its decorators, where its signature ends, where it ends."""

    first: int
    head: int
    last: int
    is_function: bool


class ScopeFinder(Protocol):
    """Path, text and rows → the scopes around each row, outermost first; None when the text can't be read."""

    async def __call__(
        self, path: str, source: str, rows: Collection[int], /
    ) -> Mapping[int, tuple[Scope, ...]] | None: ...
