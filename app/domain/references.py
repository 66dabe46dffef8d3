"""What retrieval finds: what the team said before, and what the repository says about itself. Pure."""

from enum import StrEnum

from app.domain.base import Record, content_hash
from app.domain.examples import Example

#: Lines of a past hunk that are looked at: the commented one and what leads up to it.
REVIEWED_LINES = 8
#: Characters of one piece that are kept; what a passage is about stands at its beginning.
TEXT_CHARACTERS = 1_500


class ReferenceKind(StrEnum):
    """A past review comment, or documentation by what it describes: a section, a function, a class."""

    REVIEW = "review"
    SECTION = "section"
    DOCSTRING = "docstring"
    CLASS = "class"


class Reference(Record):
    """`name`: the heading, or the qualified name of what is described. `first_line` counts from 1. `code`: the lines a
    review stood under; empty for documentation."""

    kind: ReferenceKind
    repository: str
    path: str
    name: str = ""
    first_line: int = 1
    code: str = ""
    text: str

    @property
    def hash(self) -> str:
        return content_hash("rf1", self.model_dump(mode="json"))


def text_hash(text: str) -> str:
    """Tells the same text again, for a vector of it."""
    return content_hash("tx1", text)


def render_past_review(example: Example) -> Reference:
    """A comment and the lines that lead up to where it stands.

    Raises:
        ValueError: when nothing was said.
    """
    if not example.body:
        raise ValueError(f"expected a review comment, got {example.kind}")
    at = None if example.line is None else example.hunk.index_of(example.line, example.side)
    end = len(example.hunk.lines) if at is None else at + 1
    shown = example.hunk.lines[max(0, end - REVIEWED_LINES) : end]
    return Reference(
        kind=ReferenceKind.REVIEW,
        repository=example.repository,
        path=example.path,
        first_line=example.line or 1,
        code="\n".join(line.text for line in shown),
        text=example.body[:TEXT_CHARACTERS],
    )
