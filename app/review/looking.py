"""What stands around hunks, read at the head commit: the files that are worth the most, and no more of them than are
asked about."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.attributes import NO_ATTRIBUTES, Attributes
from app.domain.diff import FileDiff
from app.domain.errors import Refused
from app.domain.generated import HEADER_LINES, is_generated_text
from app.domain.scopes import ScopeFinder
from app.review.base_prompt import value_hunk
from app.review.extending import Extended, extend_hunks, select_rows

_log = logging.getLogger(__name__)


class HeadReader(Protocol):
    """The text of a file at the head commit; None when there is none that can be shown."""

    async def __call__(self, path: str, /) -> str | None: ...


@dataclass(frozen=True)
class Surroundings:
    """Who reads files of the head, and who tells the functions in them."""

    read: HeadReader
    find_scopes: ScopeFinder


@dataclass
class Looked:
    """Hunks by path. `generated`: files that say of themselves that programs wrote them; `unextended`: hunks that stay
    as GitHub shows them although somebody looked."""

    shown: dict[str, tuple[Extended, ...]] = field(default_factory=dict)
    generated: list[str] = field(default_factory=list)
    unextended: int = 0


async def look_around(
    diffs: Sequence[FileDiff],
    surroundings: Surroundings | None,
    most_files: int,
    attributes: Attributes = NO_ATTRIBUTES,
) -> Looked:
    """Every hunk of the diffs, those of the most valuable files with the functions around them. `attributes`: of the
    default branch; what they call written is not taken for generated, whatever its header says."""
    looked = Looked({diff.path: tuple(Extended(hunk=hunk) for hunk in diff.hunks) for diff in diffs})
    if surroundings is None:
        return looked
    best = sorted(diffs, key=lambda diff: -max(value_hunk(diff.path, hunk) for hunk in diff.hunks))[:most_files]
    sources = await asyncio.gather(*(_read(surroundings, diff.path) for diff in best))
    for diff, source in zip(best, sources, strict=True):
        if source is not None and await asyncio.to_thread(_is_generated, diff.path, source, attributes):
            looked.generated.append(diff.path)
            del looked.shown[diff.path]
            continue
        extended = None if source is None else await _extend(surroundings, diff, source)
        if extended is None:
            looked.unextended += len(diff.hunks)
        else:
            looked.shown[diff.path] = extended
    return looked


def _is_generated(path: str, source: str, attributes: Attributes) -> bool:
    return is_generated_text(source.split("\n", HEADER_LINES)) and not attributes.denies(path, "generated")


async def _extend(surroundings: Surroundings, diff: FileDiff, source: str) -> tuple[Extended, ...] | None:
    scopes = await surroundings.find_scopes(diff.path, source, select_rows(diff.hunks))
    return None if scopes is None else extend_hunks(diff.hunks, source, scopes)


async def _read(surroundings: Surroundings, path: str) -> str | None:
    try:
        return await surroundings.read(path)
    except Refused as refusal:
        _log.warning("a file of the head can't be read, its hunks stay as they are: %s", refusal)
        return None
