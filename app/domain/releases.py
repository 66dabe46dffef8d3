"""A learning round as it is published: every file by its hash, and who signed that."""

from datetime import datetime
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record


class ReleaseManifest(Record):
    """The files of a run folder that prove its verdict. Written after all of them, signed after that."""

    schema_version: Literal["release/1"] = "release/1"
    adapter: str
    snapshot: str
    base: BaseCheckpoint
    verdict: Literal["promote", "hold", "reject"]
    #: path inside the run folder → sha256 of its bytes
    files: dict[str, str]
    created_at: datetime


class Signature(Record):
    """Over the bytes of release.json. Key and signature in hex."""

    algorithm: Literal["ed25519"] = "ed25519"
    public_key: str
    signature: str


class SpotPair(Record):
    """Two answers to one prompt, in an order that does not tell which is which."""

    example: str
    prompt: str
    reference: str
    left: str
    right: str
    adapter_is_left: bool


class SpotSheet(Record):
    """What a spot check asked. The page shows all of it but `adapter_is_left`."""

    schema_version: Literal["spot/1"] = "spot/1"
    suite: str
    adapter: str
    pairs: tuple[SpotPair, ...]


class SpotAnswers(Record):
    """What the page gives back: the examples whose left, or right, answer the person would not have shipped."""

    suite: str
    adapter: str
    refused_left: tuple[str, ...]
    refused_right: tuple[str, ...]
