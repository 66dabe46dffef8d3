"""The order of a training: which rows each step sees, decided before the first step."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from training.config import TrainingConfig
from training.rows.tokenising import TokenRow


def plan_batches(rows: Sequence[TokenRow], weights: dict[str, float], config: TrainingConfig) -> list[TokenRow]:
    """Every row of every step, in order, a multiple of nothing: the trainer reads it once from start to end.

    A row is passed `epochs * weight / heaviest weight` times on average: the whole part surely, the rest by a draw from
    the seed. So a comment that was probably never acted on teaches less, the step's loss stays a plain mean, and the
    order is the same in every run and after every resume. Within a pass, rows of like length share a batch (least
    padding) and the batches come in random order.
    """
    heaviest = max(weights[row.example] for row in rows)
    draw = random.Random(config.seed)  # noqa: S311 - a schedule, no secret
    shares = {row.example: config.epochs * weights[row.example] / heaviest for row in rows}
    ordered: list[TokenRow] = []
    while any(share > 0 for share in shares.values()):
        chosen = [row for row in rows if shares[row.example] > 0 and draw.random() < shares[row.example]]
        shares = {example: share - 1 for example, share in shares.items()}
        ordered += _one_pass(chosen, config.batch_rows, draw.shuffle)
    return ordered


def _one_pass(rows: list[TokenRow], batch_rows: int, shuffle: Callable[[list[Any]], None]) -> list[TokenRow]:
    """Shuffled, then grouped by length inside windows of eight batches, then the batches shuffled."""
    shuffle(rows)
    window = 8 * batch_rows
    batches = []
    for first in range(0, len(rows), window):
        near = sorted(rows[first : first + window], key=lambda row: len(row.tokens))
        batches += [near[at : at + batch_rows] for at in range(0, len(near), batch_rows)]
    whole, rest = [b for b in batches if len(b) == batch_rows], [b for b in batches if len(b) < batch_rows]
    shuffle(whole)
    return [row for batch in [*whole, *rest] for row in batch]
