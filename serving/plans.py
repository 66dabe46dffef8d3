"""The controller's decisions: what to load, what to unload, and who rests when there are more than can be held."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from app.domain.base import Record
from app.domain.errors import RetryLater


class ReconcilePlan(Record):
    load: tuple[str, ...]
    unload: tuple[str, ...]


def decide_reconcile(desired: Mapping[str, Path], actual: Mapping[str, str]) -> ReconcilePlan:
    """`desired`: name → folder it must be served from; `actual`: name → root that vLLM lists, the base left out."""
    wrong = {name for name, root in actual.items() if name not in desired or str(desired[name]) != root}
    right = actual.keys() - wrong
    return ReconcilePlan(load=tuple(sorted(desired.keys() - right)), unload=tuple(sorted(wrong)))


def decide_residents(desired: Sequence[str], *, capacity: int) -> frozenset[str]:
    """`desired` with the last used at its end: the names that are held, the rest rests."""
    return frozenset(desired[-capacity:])


def decide_victims(
    desired: Sequence[str], served: Collection[str], busy: Collection[str], *, capacity: int
) -> tuple[str, ...]:
    """Whom to unload so that one more fits: the longest unused first, and nobody who is answering.

    Raises:
        RetryLater: when all are answering.
    """
    surplus = len(served) + 1 - capacity
    idle = [name for name in desired if name in served and name not in busy]
    if surplus > len(idle):
        raise RetryLater(f"all {capacity} adapters that this server holds at once are answering", 5)
    return tuple(idle[: max(0, surplus)])
