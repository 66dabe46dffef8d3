"""The frozen suite: which held-out rows are measured, and a name that stays as long as they do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from app.domain.base import content_hash
from app.domain.errors import UserError
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import CommentRow
from training.config import TrainingConfig
from training.rows.snapshot import Snapshot

#: What may change about a comment without changing the question or the answer: how surely it was acted on.
_LATER_KNOWLEDGE = {"weight", "evidence"}
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Suite:
    """The held-out rows and how they are measured; two reports compare only when `id` is equal.

    `rows` are scored, the fewer `asked` are answered by generation.
    """

    id: str
    rows: tuple[CommentRow, ...]
    asked: tuple[CommentRow, ...]


def plan_suite(snapshot: Snapshot, config: TrainingConfig) -> Suite:
    """The held-out rows to score and the fewer ones to answer, spread evenly over time.

    The id is of the held-out comments and hunks (with and without comments) and of how they are asked. Rows for
    training do not enter it, so successive rounds compare while the same pull requests are held out.

    Raises:
        UserError: when the snapshot holds nothing out.
    """
    heldout = sorted(snapshot.comments("heldout"), key=lambda row: (row.created_at, row.example))
    if not heldout:
        raise UserError(f"{snapshot.folder} holds out no comments; a snapshot needs some to prove anything")
    rows = thin(heldout, config.heldout_rows)
    asked = thin(rows, config.generated_rows) if config.generated_rows else []
    said = {
        "prompts": PROMPT_VERSION,
        "comments": _fingerprint(heldout),
        "hunks": _fingerprint(snapshot.hunks("heldout")),
        "rows": [row.example for row in rows],
        "asked": [row.example for row in asked],
        "answer_tokens": config.answer_tokens,
    }
    return Suite(content_hash("su2", said), tuple(rows), tuple(asked))


def thin(rows: Sequence[RowT], count: int) -> list[RowT]:
    """At most `count` rows at even distances; 0 takes all."""
    if not count or count >= len(rows):
        return list(rows)
    return [rows[index * len(rows) // count] for index in range(count)]


def pick_strangers(rows: Sequence[CommentRow]) -> list[CommentRow]:
    """For each row another one whose comment differs, of another pull request where there is one. Deterministic."""
    picked = []
    for index, row in enumerate(rows):
        others = [rows[(index + len(rows) // 2 + step) % len(rows)] for step in range(len(rows))]
        differing = [other for other in others if other.completion != row.completion] or others
        distant = [other for other in differing if other.pull_request != row.pull_request] or differing
        picked.append(distant[0])
    return picked


def _fingerprint(rows: Iterable[BaseModel]) -> str:
    """Of the rows as a set: the order in a file says nothing."""
    return content_hash(
        "rows", sorted(content_hash("row", row.model_dump(mode="json", exclude=_LATER_KNOWLEDGE)) for row in rows)
    )
