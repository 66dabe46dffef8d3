"""The regression set of an installation: a few held-out prompts, chosen once and asked of every version."""

from typing import Literal

from app.domain.base import Record
from app.domain.prompt import Message

#: The folder under the service's data that holds one set per installation, `<id>.json`.
PINNED = "pinned"


class PinnedPrompt(Record):
    """A prompt and what the team said. `example` names where it came from."""

    example: str
    prompt: tuple[Message, ...]
    reference: str


class PinnedSet(Record):
    """`id` is of the Examples that were chosen. An erasure that touches one takes the whole set."""

    schema_version: Literal["pinned/1"] = "pinned/1"
    id: str
    prompts: tuple[PinnedPrompt, ...]
