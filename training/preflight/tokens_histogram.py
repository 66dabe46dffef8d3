"""How long the rows are and how much of each is trained. Pure."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from app.domain.preflight import TokenHistogram
from training.rows.tokenising import TokenRow

_EDGES = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
#: Room above the 99th percentile of trained answers, so that an answer is not cut in the middle of its JSON.
_ROOM = 1.5


def measure_rows(rows: Sequence[TokenRow], *, max_length: int) -> TokenHistogram:
    """Of every row that weighs enough, those over `max_length` included.

    Raises:
        ValueError: without rows.
    """
    lengths, answers = sorted(len(row.tokens) for row in rows), sorted(row.completion_tokens for row in rows)
    shares = [row.completion_tokens / len(row.tokens) for row in rows]
    edges = (*(edge for edge in _EDGES if edge < lengths[-1]), lengths[-1])
    bars = Counter(bisect_left(edges, length) for length in lengths)
    return TokenHistogram(
        rows=len(rows),
        edges=edges,
        counts=tuple(bars[at] for at in range(len(edges))),
        median=percentile(lengths, 0.5),
        p99=percentile(lengths, 0.99),
        longest=lengths[-1],
        over_length=sum(length > max_length for length in lengths) / len(lengths),
        answer_p99=percentile(answers, 0.99),
        answer_longest=answers[-1],
        trained=sum(answers) / sum(lengths),
        trained_least=min(shares),
        trained_most=max(shares),
    )


def percentile(ordered: Sequence[int], share: float) -> int:
    """The smallest value that at least `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def decide_answer_tokens(histogram: TokenHistogram) -> int:
    return math.ceil(_ROOM * histogram.answer_p99)


def render_bars(histogram: TokenHistogram, width: int = 40) -> list[str]:
    """One line per bar: its upper end, its rows, and a bar that is `width` wide where most rows are."""
    most = max(histogram.counts)
    return [
        f"  up to {edge:>5} tokens {count:>6} {'#' * math.ceil(width * count / most)}".rstrip()
        for edge, count in zip(histogram.edges, histogram.counts, strict=True)
    ]
