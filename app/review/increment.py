"""What a push leaves as it was: files that need no second reading, and Findings that it answered. Pure.

A file is told by its patch. Locator and adapter see nothing else of it, so the same patch under the same reviewer and
policy gives the same answer: what was found there stands, or was said already. A rebase that moves a file's hunks makes
another patch, and the file is read anew. (ADR 0019)
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from app.domain.base import Record
from app.domain.diff import FileDiff
from app.domain.findings import Finding, finding_fingerprint


class ReadBefore(Record):
    """What an earlier review of the same pull request read. `made_by` names its reviewer and policy.

    `patches`: path → hash of the patch, of the files that were read to their end.
    """

    head_sha: str
    made_by: str
    patches: Mapping[str, str]


def hash_patch(patch: str | None) -> str:
    """Of a file without a patch too: it is as unread as it was."""
    return hashlib.blake2b((patch or "").encode(), digest_size=12).hexdigest()


def select_carried(patches: Mapping[str, str | None], before: ReadBefore | None, made_by: str) -> frozenset[str]:
    """Paths whose patch was read before, by the same reviewer under the same policy. None read before: none."""
    if before is None or before.made_by != made_by:
        return frozenset()
    return frozenset(path for path, patch in patches.items() if patch and before.patches.get(path) == hash_patch(patch))


def select_addressed(findings: Iterable[Finding], shown: Sequence[FileDiff], unknown: frozenset[str]) -> frozenset[str]:
    """Fingerprints of Findings whose line the pull request no longer adds: it was changed, moved away or taken back.

    `unknown`: paths whose diff GitHub does not show now; nothing is said of their Findings. A fingerprint holds the
    line's words and no number, so a line that only moved is still open.
    """
    added = {diff.path: [line.text for _, line in diff.added()] for diff in shown}
    return frozenset(
        finding.fingerprint
        for finding in findings
        if finding.path not in unknown
        and not any(
            finding_fingerprint(finding.path, text, finding.body) == finding.fingerprint
            for text in added.get(finding.path, [])
        )
    )
