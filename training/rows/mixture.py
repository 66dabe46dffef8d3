"""What an adapter is trained on, all of it: comments, what else the team wrote, and a little of the world at large."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.snapshots import CommentRow, WrittenRow
from training.config import TrainingConfig
from training.rows.general import GeneralSource, load_general
from training.rows.tokenising import Tokenizer, TokenRow

#: Fewer rows tell noise from overfitting no better than a coin does.
_LEAST_VALIDATION = 16
#: More rows cost time at every checkpoint and change no decision.
_MOST_VALIDATION = 64


@dataclass(frozen=True)
class Mixture:
    """`rows` are trained on with their `weights` in 0..1 (by example); `validation` are not, they only tell when to
    stop. `comments` counts the team's comments among `rows`.
    """

    rows: tuple[TokenRow, ...]
    weights: dict[str, float]
    validation: tuple[TokenRow, ...]
    comments: int
    written: tuple[TokenRow, ...]
    general: GeneralSource | None

    def sentence(self) -> str:
        general = f"{self.general.rows} general rows ({self.general.source})" if self.general else "no general rows"
        return (
            f"trained on {self.comments} comments, {len(self.written)} written rows, {general}; "
            f"{len(self.validation)} comments set aside to tell when to stop"
        )


def mix_rows(
    encoded: Sequence[TokenRow],
    comments: Sequence[CommentRow],
    written: Sequence[WrittenRow],
    tokenizer: Tokenizer,
    config: TrainingConfig,
) -> Mixture:
    """`encoded` are the comments that the pre-flight let through. Shares are shares of all trained tokens, each row's
    tokens counted with its weight.
    """
    aside = select_validation(encoded, comments, config)
    trained = tuple(row for row in encoded if row.example not in aside)
    weights = {row.example: row.weight for row in comments}
    tokens = sum(len(row.tokens) * weights[row.example] for row in trained)
    left = 1 - config.general_share - config.written_share
    extra = select_written(written, tokenizer, config, tokens * config.written_share / left)
    weights |= {row.example: row.weight for row in written}
    heaviest = max(weights[row.example] for row in (*trained, *extra))
    longest = max(len(row.tokens) for row in trained)
    asked = tokens * config.general_share / left / heaviest
    general = load_general(tokenizer, tokens=asked, longest=longest, seed=config.seed) if asked >= 64 else None
    world = general.rows if general else ()
    weights |= {row.example: heaviest for row in world}
    return Mixture(
        rows=(*trained, *extra, *world),
        weights=weights,
        validation=tuple(row for row in encoded if row.example in aside),
        comments=len(trained),
        written=extra,
        general=general.source if general else None,
    )


def select_validation(
    encoded: Sequence[TokenRow], comments: Sequence[CommentRow], config: TrainingConfig
) -> frozenset[str]:
    """Examples of whole pull requests, drawn by the seed, that make up `validation_share` of the rows; none where that
    is too few to tell anything.
    """
    wanted = min(_MOST_VALIDATION, math.floor(len(encoded) * config.validation_share))
    if wanted < _LEAST_VALIDATION:
        return frozenset()
    fitting = {row.example for row in encoded}
    pulls: dict[str, list[str]] = {}
    for row in comments:
        if row.example in fitting:
            pulls.setdefault(f"{row.repository}#{row.pull_request}", []).append(row.example)
    aside: list[str] = []
    for pull in sorted(pulls, key=lambda name: _rank(name, config.seed)):
        if len(aside) < wanted and len(aside) + len(pulls[pull]) <= 2 * wanted:
            aside += pulls[pull]
    return frozenset(aside)


def select_written(
    written: Sequence[WrittenRow], tokenizer: Tokenizer, config: TrainingConfig, room: float
) -> tuple[TokenRow, ...]:
    """The newest rows first, as long as tokens times weight fit; rows over max_length are left out."""
    chosen: list[TokenRow] = []
    for row in sorted(written, key=lambda row: (row.created_at, row.example), reverse=True):
        if room < 64:
            break
        encoded = tokenizer.row(row.example, row.prompt, row.completion)
        cost = len(encoded.tokens) * row.weight
        if row.weight >= config.minimum_weight and len(encoded.tokens) <= config.max_length and cost <= room:
            chosen.append(encoded)
            room -= cost
    return tuple(chosen)


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
