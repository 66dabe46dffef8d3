"""Rows of any of the export formats, ours or somebody else's, as SpokenRows. Pure.

What a row does not say is not guessed: names are `unknown`, numbers 0, the moment is 1970, the evidence is unknown.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from app.dataset.formats import BoundFacts, SpokenFacts, SpokenRow, words_hash
from app.dataset.reading import explain_row
from app.domain.base import content_hash
from app.domain.examples import Evidence, ExampleKind
from app.domain.prompt import Message
from app.domain.written import WrittenKind

UNKNOWN = "unknown"
NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
#: What `decide_weight` gives a comment of unknown evidence.
UNKNOWN_WEIGHT = 0.43
_ROLES = {"human": "user", "gpt": "assistant"}


class _Said(BaseModel):
    """A message in the spelling of chat formats (`role`, `content`) or of ShareGPT (`from`, `value`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str = Field(validation_alias=AliasChoices("role", "from"))
    content: str = Field(validation_alias=AliasChoices("content", "value"))

    @field_validator("role")
    @classmethod
    def _known(cls, role: str) -> str:
        name = _ROLES.get(role, role)
        if name not in ("system", "user", "assistant"):
            raise ValueError("is none of system, user, assistant, human, gpt")
        return name


class _ForeignRow(BaseModel):
    """Words in one of three shapes, and what of our columns there is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: tuple[_Said, ...] | None = None
    completion: tuple[_Said, ...] | None = None
    messages: tuple[_Said, ...] | None = Field(default=None, validation_alias=AliasChoices("messages", "conversations"))

    kind: str | None = None
    example: str | None = None
    repository: str | None = None
    pull_request: int | None = None
    created_at: AwareDatetime | None = None
    commit_sha: str | None = None
    path: str | None = None
    line: int | None = None
    reviewer: str | None = None
    author: str | None = None
    weight: float | None = Field(default=None, ge=0, le=1)
    evidence: Evidence | None = None

    @field_validator("prompt", "completion", mode="before")
    @classmethod
    def _plain(cls, value: object, info: Any) -> object:  # noqa: ANN401 - pydantic's class is generic in its context
        """A plain text is one message: of the user where it asks, of the assistant where it answers."""
        role = "user" if info.field_name == "prompt" else "assistant"
        return [{"role": role, "content": value}] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _speaks(self) -> "_ForeignRow":
        spoken = self.messages or (*(self.prompt or ()), *(self.completion or ()))
        if len(spoken) < 2 or spoken[-1].role != "assistant":
            raise ValueError("holds no question with an answer of the assistant after it")
        return self

    @property
    def words(self) -> list[Message]:
        spoken = self.messages or (*(self.prompt or ()), *(self.completion or ()))
        return [Message.model_validate({"role": said.role, "content": said.content}) for said in spoken]


def parse_spoken(name: str, rows: Sequence[bytes | dict[str, Any]], facts: Mapping[str, BoundFacts]) -> list[SpokenRow]:
    """Rows of a file of lines (bytes) or of a table (plain values). `facts` are columns that lie elsewhere, by the
    hash of the words they belong to.

    Raises:
        UserError: naming file, row and field of a row that can't be read.
    """
    parsed: list[SpokenRow] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, bytes) or row.strip():
            try:
                parsed.append(_spoken(row, facts))
            except ValidationError as error:
                raise explain_row(name, number, error) from error
    return parsed


def _spoken(row: bytes | dict[str, Any], facts: Mapping[str, BoundFacts]) -> SpokenRow:
    read = _ForeignRow.model_validate_json(row) if isinstance(row, bytes) else _ForeignRow.model_validate(row)
    words = read.words
    told = facts.get(words_hash(words))
    if told is not None:
        columns = {name: getattr(told, name) for name in SpokenFacts.model_fields}
        return SpokenRow(prompt=tuple(words[:-1]), completion=tuple(words[-1:]), **columns)
    return SpokenRow(
        kind=read.kind or ExampleKind.REVIEW_COMMENT.value,
        example=read.example or content_hash("im1", [message.model_dump(mode="json") for message in words]),
        repository=UNKNOWN if read.repository is None else read.repository,
        pull_request=read.pull_request,
        created_at=read.created_at or NO_MOMENT,
        commit_sha=read.commit_sha,
        path=read.path,
        line=read.line,
        reviewer=read.reviewer,
        author=read.author,
        weight=UNKNOWN_WEIGHT if read.weight is None else read.weight,
        evidence=read.evidence,
        prompt=tuple(words[:-1]),
        completion=tuple(words[-1:]),
    )


def fill_unknown(row: SpokenRow) -> SpokenRow:
    """The row with a word for everything that a row of a snapshot must say."""
    missing: dict[str, object] = {"commit_sha": UNKNOWN, "pull_request": row.pull_request}
    if row.kind not in set(WrittenKind):
        missing = {
            "pull_request": 0,
            "path": UNKNOWN,
            "line": 0,
            "reviewer": UNKNOWN,
            "evidence": Evidence.UNKNOWN,
        }
    return row.model_copy(update={name: word for name, word in missing.items() if getattr(row, name) is None})
