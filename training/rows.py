"""From CommentRows to tokens, and the pre-flight that refuses what would silently teach something else.

The trained span is the completion and its end token. The line feed that the chat template prints after the end token
is left out: no server ever generates it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import UserError
from app.domain.prompt import Message
from app.domain.snapshots import CommentRow
from training.config import TrainingConfig

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenRow:
    """`tokens` = prompt + completion + end token; the first `prompt_tokens` of them are context and not scored."""

    example: str
    tokens: Tokens
    prompt_tokens: int

    @property
    def completion_tokens(self) -> int:
        return len(self.tokens) - self.prompt_tokens

    @property
    def labels(self) -> Tokens:
        return (-100,) * self.prompt_tokens + self.tokens[self.prompt_tokens :]


@dataclass(frozen=True)
class Preflight:
    """What came in, what was left out and why; printed before the first step."""

    rows: tuple[TokenRow, ...]
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


class Tokenizer:
    """The base's tokenizer and chat template, and what the end of an answer is in it."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - transformers' class is made at run time
        self.raw = tokenizer
        self.end = int(tokenizer.eos_token_id)
        self.pad = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)

    def prompt(self, messages: Sequence[Message]) -> Tokens:
        return self._render(messages, add_generation_prompt=True)

    def row(self, example: str, prompt: Sequence[Message], completion: Sequence[Message]) -> TokenRow:
        """Tokens of a prompt and its answer, ending in the end token.

        Raises:
            UserError: when the template makes the prompt no prefix of prompt + completion, or ends without the end
                token. Such a row would train on other tokens than the server shows.
        """
        context = self.prompt(prompt)
        whole = self._render([*prompt, *completion], add_generation_prompt=False)
        if whole[: len(context)] != context:
            raise UserError(
                f"{example}: the base's chat template does not render the prompt as a prefix of prompt + completion; "
                "this base cannot be trained on prompt and completion rows"
            )
        answer = whole[len(context) :]
        if self.end not in answer:
            raise UserError(f"{example}: the chat template closes no answer with the end token; stopping is not learnt")
        last = len(answer) - answer[::-1].index(self.end)
        return TokenRow(example=example, tokens=context + answer[:last], prompt_tokens=len(context))

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> Tokens:
        ids = self.raw.apply_chat_template(
            [message.model_dump() for message in messages],
            add_generation_prompt=add_generation_prompt,
            tokenize=True,
            return_dict=False,
        )
        return tuple(int(token) for token in ids)


def encode_comment(tokenizer: Tokenizer, row: CommentRow) -> TokenRow:
    return tokenizer.row(row.example, row.prompt, row.completion)


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
    return Preflight(fitting, len(rows), len(newest) - len(heavy), over_long)


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
