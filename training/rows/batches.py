"""The order of a training: which rows each step sees, decided before the first step."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.config import TrainingConfig
from training.rows.tokenising import TokenRow, Tokens

#: Batches whose rows are sorted by length among themselves: more fill batches better, fewer mix them better.
_WINDOW = 16
#: Rows whose first tokens are the same were asked the same. A batch computes them once (`recipes/shared_prefix.py`).
_OPENING = 32


def plan_batches(rows: Sequence[TokenRow], weights: Mapping[str, float], config: TrainingConfig) -> list[TokenRow]:
    """Every row of every step, in order, a multiple of nothing: the trainer reads it once from start to end.

    A row is passed `epochs * weight / heaviest weight` times on average: the whole part surely, the rest by a draw from
    the seed. So a comment that was probably never acted on teaches less, the step's loss stays a plain mean, and the
    order is the same in every run and after every resume. Within a pass, rows that open alike and are of like length
    share a batch, and the batches come in random order. What fills no batch waits for the next pass.
    """
    heaviest = max(weights[row.example] for row in rows)
    draw = random.Random(config.seed)  # noqa: S311 - a schedule, no secret
    shares = {row.example: config.epochs * weights[row.example] / heaviest for row in rows}
    ordered: list[TokenRow] = []
    waiting: list[TokenRow] = []
    while any(share > 0 for share in shares.values()):
        chosen = [row for row in rows if shares[row.example] > 0 and draw.random() < shares[row.example]]
        shares = {example: share - 1 for example, share in shares.items()}
        whole, waiting = _one_pass([*waiting, *chosen], config.batch_rows, draw.shuffle)
        ordered += whole
    return ordered + waiting


def hash_plan(plan: Sequence[TokenRow]) -> str:
    """sha256 over every row's tokens and trained span, in order: two equal ones are the same training data."""
    digest = hashlib.sha256()
    for row in plan:
        digest.update(f"{row.example} {row.prompt_tokens} {row.tokens}\n".encode())
    return digest.hexdigest()


def _one_pass(
    rows: list[TokenRow], batch_rows: int, shuffle: Callable[[list[Any]], None]
) -> tuple[list[TokenRow], list[TokenRow]]:
    """Whole batches in random order, and the rows that are left over, sorted by length."""
    shuffle(rows)
    alike: dict[Tokens, list[TokenRow]] = {}
    for row in rows:
        alike.setdefault(row.tokens[: min(_OPENING, row.prompt_tokens)], []).append(row)
    whole: list[list[TokenRow]] = []
    rest: list[TokenRow] = []
    for group in alike.values():
        full, short = _fill(group, batch_rows)
        whole += full
        rest += short
    # Rows of the world at large open each in its own way: batched here, or all of them would come at the very end.
    full, waiting = _fill(rest, batch_rows)
    whole += full
    shuffle(whole)
    return [row for batch in whole for row in batch], waiting


def _fill(rows: list[TokenRow], batch_rows: int) -> tuple[list[list[TokenRow]], list[TokenRow]]:
    """Full batches, and the rows that fill none."""
    batches = _batches(rows, batch_rows)
    short = [row for batch in batches if len(batch) < batch_rows for row in batch]
    return [batch for batch in batches if len(batch) == batch_rows], short


def _batches(rows: list[TokenRow], batch_rows: int) -> list[list[TokenRow]]:
    """Grouped by length inside windows."""
    window = _WINDOW * batch_rows
    batches = []
    for first in range(0, len(rows), window):
        near = sorted(rows[first : first + window], key=lambda row: len(row.tokens))
        batches += [near[at : at + batch_rows] for at in range(0, len(near), batch_rows)]
    return batches
