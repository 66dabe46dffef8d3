"""What a push leaves as it was: files that need no second reading. Pure.

A file is told by its patch. Locator and adapter see nothing else of it, so the same patch under the same reviewer and
policy gives the same answer: what was found there stands, or was said already. A rebase that moves a file's hunks makes
another patch, and the file is read anew. (ADR 0019)
"""

import hashlib
from collections.abc import Mapping

from app.domain.base import Record


class ReadBefore(Record):
    """What an earlier review of the same pull request read. `made_by` names its reviewer and policy.

    `patches`: path → hash of the patch, of the files that were read to their end. `unasked_lines`: path → how many
    lines the Locator chose there and nobody asked about, where there are any.
    """

    made_by: str
    patches: Mapping[str, str]
    unasked_lines: Mapping[str, int] = {}


def hash_patch(patch: str | None) -> str:
    """Of a file without a patch too: it is as unread as it was."""
    return hashlib.blake2b((patch or "").encode(), digest_size=12).hexdigest()


def select_carried(patches: Mapping[str, str | None], before: ReadBefore | None, made_by: str) -> frozenset[str]:
    """Paths whose patch was read before, by the same reviewer under the same policy. None read before: none."""
    if before is None or before.made_by != made_by:
        return frozenset()
    return frozenset(path for path, patch in patches.items() if patch and before.patches.get(path) == hash_patch(patch))
