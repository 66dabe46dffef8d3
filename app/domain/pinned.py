"""The regression set of an installation: a few held-out prompts, chosen once and asked of every version."""

from collections.abc import Collection
from typing import Literal, Self

from app.domain.base import Record
from app.domain.prompt import Message

#: The folder under the service's data that holds one set per installation, `<id>.json`.
PINNED = "pinned"


class PinnedPrompt(Record):
    """A prompt and what the team said. `example` names where it came from, so that an erasure finds it."""

    example: str
    prompt: tuple[Message, ...]
    reference: str


class PinnedSet(Record):
    """`id` is of the prompts first chosen and stays when an erasure drops some: results still compare by prompt."""

    schema_version: Literal["pinned/1"] = "pinned/1"
    id: str
    prompts: tuple[PinnedPrompt, ...]

    def without(self, examples: Collection[str]) -> Self:
        """The set less every prompt of these examples."""
        return self.model_copy(update={"prompts": tuple(row for row in self.prompts if row.example not in examples)})
