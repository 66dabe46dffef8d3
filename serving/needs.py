"""How large the server is made: what a person said, else what the registry needs, else what suits a first adapter."""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from app.domain.errors import UserError
from app.domain.serving import NEEDS, ServingNeeds

#: Before anything was promoted: the rank of training's default configuration, room for an adapter and its successor.
FIRST = ServingNeeds(max_rank=16, adapters=1, max_length=2048)
#: Adapters in one batch. Each slot is reserved in the device's memory, and each distinct adapter slows the batch.
MOST_LORAS = 8
#: Adapters in main memory; the rest rests on disk. 64 of rank 16 on a 7B base are 5 GB.
MOST_HELD = 64


class Sizes(NamedTuple):
    """`None` where nobody said anything; ranks are rounded up later, to what vLLM reserves."""

    max_rank: int | None = None
    max_loras: int | None = None
    held: int | None = None
    max_length: int | None = None


class Decided(NamedTuple):
    max_rank: int
    max_loras: int
    held: int
    max_length: int
    #: one line for a person: every value with its origin
    told: str


def load_needs(state: Path) -> ServingNeeds | None:
    """What the service wrote, None before it did.

    Raises:
        UserError: when the file holds something else.
    """
    path = state / NEEDS
    if not path.is_file():
        return None
    try:
        return ServingNeeds.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UserError(
            f"expected {path} to say what the registry needs, got {error.errors()[0]['msg']}; delete it, and the "
            "service writes it anew"
        ) from error


def decide_sizes(said: Sizes, needs: ServingNeeds | None) -> Decided:
    """Two slots at least, so that a candidate can be proven beside the one that reviews; held are twice the
    installations, so that each has its version to go back to."""
    known = needs or FIRST
    derived = Sizes(
        max_rank=known.max_rank,
        max_loras=min(MOST_LORAS, max(2, known.adapters)),
        held=min(MOST_HELD, max(4, 2 * known.adapters)),
        max_length=max(FIRST.max_length, known.max_length),
    )
    origin = "the registry" if needs else "default"
    pairs = [(own, found) for own, found in zip(said, derived, strict=True)]
    values = [found if own is None else own for own, found in pairs]
    told = ", ".join(
        f"{name.replace('_', ' ')} {value} ({origin if own is None else 'said'})"
        for name, value, (own, _) in zip(Sizes._fields, values, pairs, strict=True)
    )
    rank, loras, held, length = (int(value) for value in values if value is not None)
    return Decided(rank, loras, max(loras, held), length, told)
