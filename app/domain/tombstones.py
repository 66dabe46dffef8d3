"""What was erased, by keys alone: enough to erase it again from a backup that was made before. Pure."""

from datetime import datetime
from typing import Literal

from app.domain.base import Record
from app.domain.erasure import ErasureKind


class Tombstone(Record):
    """One erasure without the subject's name. `lifted_at`: it may be learned from again since."""

    id: str
    installation_id: int
    kind: ErasureKind
    subject_key: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    lifted_at: datetime | None


class Tombstones(Record):
    """The document that `python -m app erasures` writes."""

    format: Literal[1] = 1
    exported_at: datetime
    erasures: tuple[Tombstone, ...]
