"""Which rows are left out before the first step, and why, and what refuses to be trained on at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import UserError
from app.domain.snapshots import CommentRow
from training.config import TrainingConfig
from training.rows.tokenising import Tokenizer, TokenRow, encode_comment


@dataclass(frozen=True)
class Preflight:
    """What came in, what was left out and why; printed before the first step."""

    rows: tuple[TokenRow, ...]
    #: those that weigh enough, the ones over max_length included
    encoded: tuple[TokenRow, ...]
    offered: int
    underweight: int
    over_long: int

    def sentence(self, max_length: int) -> str:
        real = sum(len(row.tokens) for row in self.rows)
        trained = sum(row.completion_tokens for row in self.rows)
        return (
            f"{len(self.rows)} of {self.offered} rows: {self.underweight} below the least weight, "
            f"{self.over_long} over {max_length} tokens; {real} tokens, {trained} of them trained "
            f"({trained / max(real, 1):.0%})"
        )


def preflight(rows: Sequence[CommentRow], tokenizer: Tokenizer, config: TrainingConfig) -> Preflight:
    """Tokenise, filter and check every row.

    Raises:
        UserError: when nothing is left, or more than `overlong_share` of the rows are over `max_length`.
    """
    newest = sorted(rows, key=lambda row: (row.created_at, row.example))[-config.newest_rows or None :]
    heavy = [row for row in newest if row.weight >= config.minimum_weight]
    encoded = [encode_comment(tokenizer, row) for row in heavy]
    fitting = tuple(row for row in encoded if len(row.tokens) <= config.max_length)
    over_long = len(encoded) - len(fitting)
    if not fitting or over_long > config.overlong_share * len(encoded):
        longest = max((len(row.tokens) for row in encoded), default=0)
        raise UserError(
            f"{len(rows)} comment rows: {len(newest) - len(heavy)} below minimum_weight {config.minimum_weight}, and "
            f"{over_long} of {len(encoded)} others over max_length {config.max_length} tokens (longest: {longest}). "
            "Nothing sound is left to train on: raise max_length or overlong_share, or collect more examples"
        )
    return Preflight(fitting, tuple(encoded), len(rows), len(newest) - len(heavy), over_long)
