"""GitHub refuses a whole review for one line it does not know. What is sent instead. Pure.

The positions of Findings come from the pull request's own patch, so a refusal means that GitHub's view moved or
differs. First only what the patch, read anew, still shows is sent on its lines; were those refused too, or was nothing
lost, all is said in the review's own words. A Finding is never dropped for its place. One run never sends a batch
again that was refused; a run that is killed meanwhile starts from the first.
"""

from collections.abc import Sequence
from typing import Literal

from app.domain.base import Record
from app.domain.diff import FileDiff
from app.domain.findings import Finding

RefusalKind = Literal["place", "pending", "other"]

#: GitHub's words for a line, a range, a path or a side that its diff does not show.
_PLACE_WORDS = ("could not be resolved", "must be part of", "diff hunk", "line_side", "position", "path is invalid")
_PENDING_WORDS = "one pending review"


class Batch(Record):
    """`inline` go to their lines, `in_words` into the review's body."""

    inline: tuple[Finding, ...]
    in_words: tuple[Finding, ...] = ()


def classify_refusal(reason: str, message: str) -> RefusalKind:
    """What a refused review was refused for; `reason` as in `Refused`."""
    said = message.lower()
    if reason != "invalid":
        return "other"
    if _PENDING_WORDS in said:
        return "pending"
    return "place" if any(words in said for words in _PLACE_WORDS) else "other"


def repair_batch(refused: Batch, shown: Sequence[FileDiff]) -> Batch | None:
    """The next batch after one that was refused for a place, None when there is nothing left to try.

    `shown` are the diffs as GitHub shows them now; a file without one is not shown.
    """
    if not refused.inline:
        return None
    diffs = {diff.path: diff for diff in shown}
    kept = tuple(finding for finding in refused.inline if _is_shown(finding, diffs.get(finding.path)))
    if len(kept) == len(refused.inline):
        kept = ()  # the patch shows them all and GitHub knows better: sending them again would be refused again
    left = tuple(finding for finding in refused.inline if finding not in kept)
    return Batch(inline=kept, in_words=(*refused.in_words, *left))


def _is_shown(finding: Finding, diff: FileDiff | None) -> bool:
    """The whole range in one hunk, on the new side."""
    first = finding.line if finding.start_line is None else finding.start_line
    return diff is not None and any(
        all(hunk.index_of(line, "RIGHT") is not None for line in (first, finding.line)) for hunk in diff.hunks
    )
