"""Accepted and rejected comments as rows of a preference training: a prompt, an answer, and whether it was wanted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import UserError
from app.domain.prompt import Message, render_completion, render_prompt
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow
from training.rows.tokenising import Tokenizer, TokenRow

#: Less than this share of one kind and its few rows decide everything (LLaMA-Factory issue 3803, trl issue 1467).
_LEAST_SHARE = 0.05
#: Ethayarajh et al. 2024 (KTO), section 4.2: wanted to unwanted, each with its weight, between 1:1 and 4:3.
_MOST_RATIO = 4 / 3


@dataclass(frozen=True)
class Preference:
    """One comment that was acted on (`accepted`) or was not."""

    row: TokenRow
    accepted: bool


@dataclass(frozen=True)
class Balance:
    """Rows of each kind and the weights that bring them into 1:1 to 4:3."""

    accepted: int
    rejected: int
    accepted_weight: float
    rejected_weight: float


def pair_outcomes(
    outcomes: Sequence[OutcomeRow],
    comments: Sequence[CommentRow],
    hunks: Sequence[HunkRow],
    tokenizer: Tokenizer,
    longest: int,
) -> list[Preference]:
    """Every outcome whose prompt is known (from its comment, else from the one line of its hunk that reads so) and that
    is no longer than `longest` tokens. Comments of ours are none of them: a model must not train on its own words.
    """
    prompts = {row.example: row.prompt for row in comments}
    places = {example: row for row in hunks for example in row.examples}
    found: list[Preference] = []
    for outcome in (row for row in outcomes if not row.is_own):
        prompt = prompts.get(outcome.example) or _render(outcome, places.get(outcome.example))
        if prompt is not None:
            row = tokenizer.row(outcome.example, prompt, (render_completion(outcome.body),))
            if len(row.tokens) <= longest:
                found.append(Preference(row, outcome.accepted))
    return found


def _render(outcome: OutcomeRow, place: HunkRow | None) -> tuple[Message, ...] | None:
    if place is None:
        return None
    lines = [
        line.new for line in place.hunk.lines if line.kind == "added" and line.text.strip() == outcome.line_text.strip()
    ]
    line = lines[0] if len(lines) == 1 else None
    return None if line is None else render_prompt(outcome.path, place.hunk, line)


def decide_balance(labels: Sequence[bool]) -> Balance:
    """The weights of both kinds.

    Raises:
        UserError: when one kind is under 5 % of the rows; there is nothing to prefer it to.
    """
    counts = Counter(labels)
    accepted, rejected = counts[True], counts[False]
    if min(accepted, rejected) < _LEAST_SHARE * max(1, len(labels)) or not labels:
        raise UserError(
            f"{accepted} accepted and {rejected} rejected comments: expected at least {_LEAST_SHARE:.0%} of each for "
            "`preference: kto`; set `preference: none`, or collect more outcomes"
        )
    ratio = accepted / rejected
    if ratio < 1:
        return Balance(accepted, rejected, 1 / ratio, 1.0)
    return Balance(accepted, rejected, 1.0, ratio / _MOST_RATIO if ratio > _MOST_RATIO else 1.0)
