"""The frozen base of every record, and the canonical form their hashes are taken over."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value. Unknown fields are refused, so a typo is an error and not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(value: object) -> str:
    """One spelling per value: sorted keys, no spaces, no NaN. Part of the documented contract of every hash."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(prefix: str, value: object) -> str:
    """`prefix:` + BLAKE2b-160 of the canonical JSON. The prefix names the algorithm, so it can change later."""
    digest = hashlib.blake2b(canonical_json(value).encode(), digest_size=20).hexdigest()
    return f"{prefix}:{digest}"
