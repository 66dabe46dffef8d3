"""Near-duplicates: texts that share four fifths of their word triples. Pure.

MinHash and banded hashing only propose pairs; each proposal is checked by the exact Jaccard index, so nothing is
called a duplicate by estimate. What the bands miss at the threshold is under one in a thousand.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Protocol

from rensa import RMinHash, RMinHashLSH

from app.domain.base import Record

#: Jaccard index of two texts' shingles from which they are one text with a name or a line changed. A prompt shows ten
#: lines, some 60 triples; a renamed variable that is used twice takes it to 0.85, so 0.9 would see copies only.
NEAR = 0.8
SHINGLE = 3
#: Shingles that a text needs to be near another at all: in a few lines of code one name makes the difference.
LEAST_SHINGLES = 40
#: 24 bands of 6 rows propose a pair at 0.8 with a chance of 0.999, at 0.5 with one of 0.3.
_PERMUTATIONS, _BANDS, _SEED = 144, 24, 20_261_122
_CHUNK = 2_000
_TOKEN = re.compile(r"\w+|[^\w\s]")


class _Sketch(Protocol):
    def jaccard(self, other: "_Sketch") -> float: ...


class Twin(Record):
    """The text at `index` is near the one at `kept`, which came before it in the order given."""

    index: int
    kept: int
    likeness: float


@lru_cache(maxsize=4_096)
def shingles(text: str) -> frozenset[str]:
    """Runs of three tokens; a shorter text is one shingle. White space does not count, letters' case does."""
    tokens = _TOKEN.findall(text)
    last = max(1, len(tokens) - SHINGLE + 1)
    return frozenset(" ".join(tokens[at : at + SHINGLE]) for at in range(last))


def likeness(one: str, other: str) -> float:
    """The Jaccard index of the shingles, 1 for equal token runs."""
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def sketch(sets: Iterable[Iterable[str]]) -> Iterator[_Sketch]:
    """One MinHash signature for each set, whatever order it comes in."""
    waiting = iter(sets)
    while chunk := [list(each) for each in islice(waiting, _CHUNK)]:
        yield from RMinHash.from_token_sets(chunk, num_perm=_PERMUTATIONS, seed=_SEED)


def select_twins(
    texts: Sequence[str],
    keys: Sequence[Hashable],
    *,
    standing: int = 0,
    among: int | None = None,
    near: float = NEAR,
) -> list[Twin]:
    """Which texts are near an earlier one with an equal key that is not itself a twin. Put what shall stay first.

    The first `standing` texts stay whatever they are like; only the first `among` have twins (None: any may).
    Twins are of texts that stay, never of other twins, so a chain of small steps does not make one group of texts
    that have little in common. Texts under LEAST_SHINGLES are twins of equal ones only.
    """
    index = RMinHashLSH(threshold=near, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    twins: list[Twin] = []
    for at, signature in enumerate(sketch(map(shingles, texts))):
        proposed = sorted(index.query(signature)) if at >= standing else []
        twin = _first_twin(texts, [kept for kept in proposed if keys[kept] == keys[at]], at, near)
        if twin is None and (among is None or at < among):
            index.insert(at, signature)
        elif twin is not None:
            twins.append(twin)
    return twins


def _first_twin(texts: Sequence[str], proposed: Sequence[int], at: int, near: float) -> Twin | None:
    for kept in proposed:
        share = likeness(texts[at], texts[kept])
        short = min(len(shingles(texts[at])), len(shingles(texts[kept]))) < LEAST_SHINGLES
        if share >= (1.0 if short else near):
            return Twin(index=at, kept=kept, likeness=share)
    return None
