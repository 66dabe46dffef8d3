"""The rows of a snapshot as other trainers read them. Pure.

All four formats of lines hold the same columns beside the words, so that a reader who infers a table's types from
its first rows finds the others alike. A column that a kind has no value for is null.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.dataset.reading import Held
from app.domain.base import Record, canonical_json, content_hash
from app.domain.errors import UserError
from app.domain.examples import Evidence, ExampleKind
from app.domain.prompt import Message
from app.domain.snapshots import CommentRow, Part, WrittenRow
from app.domain.written import WrittenKind


class Format(StrEnum):
    TRL = "trl"
    OPENAI = "openai"
    AXOLOTL = "axolotl"
    UNSLOTH = "unsloth"
    PARQUET = "parquet"


#: The column that holds a conversation. OpenAI's own checks know `messages` and nothing beside it.
CONVERSATION: Mapping[Format, str] = {
    Format.OPENAI: "messages",
    Format.AXOLOTL: "messages",
    Format.UNSLOTH: "conversations",
}


class SpokenFacts(Record):
    """What is known of a row beside its words. `kind` is `review_comment` or one of WrittenKind."""

    kind: str
    example: str
    repository: str
    pull_request: int | None
    created_at: datetime
    commit_sha: str | None
    path: str | None
    line: int | None
    reviewer: str | None
    author: str | None
    weight: float
    evidence: Evidence | None


class SpokenRow(SpokenFacts):
    """A question and the team's words for it."""

    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]


class BoundFacts(SpokenFacts):
    """Facts that lie apart from their row, bound to it by `words_hash` of what it says."""

    words: str


def spoken_rows(held: Held, part: Part) -> list[SpokenRow]:
    """Comments first, then what else was written, each in the snapshot's order.

    Raises:
        UserError: when a row's answer is not exactly one message of the assistant, which no chat format can tell
            from its question.
    """
    rows = [_of_comment(row) for row in held.rows("comments", part, CommentRow)]
    rows += [_of_written(row) for row in held.rows("written", part, WrittenRow)]
    for row in rows:
        if [message.role for message in row.completion] != ["assistant"]:
            raise UserError(f"{row.example}: expected one message of the assistant as answer, got {row.completion!r}")
    return rows


def _of_comment(row: CommentRow) -> SpokenRow:
    kind = ExampleKind.REVIEW_COMMENT.value
    return SpokenRow.model_validate({**_fields(row), "kind": kind, "commit_sha": None, "author": None})


def _of_written(row: WrittenRow) -> SpokenRow:
    fields = {**_fields(row), "kind": row.kind.value}
    return SpokenRow.model_validate({**fields, "line": None, "reviewer": None, "evidence": None})


def _fields(row: Record) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


def comment_row(row: SpokenRow) -> CommentRow | None:
    """The CommentRow again, None for what is no review comment."""
    if row.kind in set(WrittenKind):
        return None
    return CommentRow.model_validate({name: getattr(row, name) for name in CommentRow.model_fields})


def written_row(row: SpokenRow) -> WrittenRow | None:
    if row.kind not in set(WrittenKind):
        return None
    return WrittenRow.model_validate({name: getattr(row, name) for name in WrittenRow.model_fields})


def render_line(row: SpokenRow, form: Format) -> bytes:
    """One line of the format's file."""
    return canonical_json(_columns(row, form)).encode() + b"\n"


def _columns(row: SpokenRow, form: Format) -> dict[str, Any]:
    columns = row.model_dump(mode="json")
    if form is Format.TRL:
        return columns
    messages = [*columns.pop("prompt"), *columns.pop("completion")]
    spoken = {CONVERSATION[form]: messages}
    return spoken if form is Format.OPENAI else {**spoken, **columns}


def bind_facts(row: SpokenRow) -> BoundFacts:
    """The columns beside the words, for a format that has no room for them."""
    facts = {name: getattr(row, name) for name in SpokenFacts.model_fields}
    return BoundFacts(words=words_hash([*row.prompt, *row.completion]), **facts)


def words_hash(messages: Sequence[Message]) -> str:
    return content_hash("wd1", [message.model_dump(mode="json") for message in messages])
