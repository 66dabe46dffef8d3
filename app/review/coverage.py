"""What a review looked at and what it did not, by name: never a green check for work not done."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from app.domain.attributes import NO_ATTRIBUTES, Attributes
from app.domain.base import Record
from app.domain.diff import FileDiff, parse_patch
from app.domain.errors import UserError
from app.domain.generated import decide_unwritten
from app.domain.paths import decide_unread
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.increment import ReadBefore, hash_patch, select_carried

#: Files GitHub lists for one pull request at most; beyond it the list itself is cut.
GITHUB_FILES_LIMIT = 3000
#: Added lines that one review reads; a file that goes past them is left out, and named. Scoring costs time per line.
LINES_PER_REVIEW = 5_000
#: Characters of a file's name; git takes more, and no pattern of the owners' is asked about one.
LONGEST_PATH = 1_000
#: Reasons that leave out what a reviewer would have read, or what nobody but the pull request calls unreadable.
_UNREVIEWED = frozenset({"too_large", "unreadable", "over_limit", "long_path", "says_generated", "looks_minified"})


class ChangedFile(Record):
    """A row of `pulls/N/files`. `patch` is None for binary files and for diffs that GitHub found too large."""

    path: str
    status: str
    patch: str | None
    changes: int


class FileCoverage(Record):
    """`patch_hash`: of a file that was read. `carried`: it was read at an earlier head and its patch is the same.

    `unasked_lines`: lines that the Locator chose and that were past the questions of one review, then or now.
    """

    path: str
    outcome: Literal["reviewed", "skipped"]
    reason: str | None = None
    lines_read: int = 0
    patch_hash: str = ""
    carried: bool = False
    unasked_lines: int = 0


class Followed(Record):
    """Findings of earlier heads, by fingerprint: those whose line was changed, and those whose line is as it was."""

    addressed: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()


class Coverage(Record):
    files: tuple[FileCoverage, ...]
    hunks_read: int
    lines_read: int
    #: lines the Locator held worth a question, and what became of them
    candidates: int = 0
    silenced: int = 0
    capped: int = 0
    unanswered: int = 0
    repeated: int = 0
    dismissed: int = 0
    minor: int = 0
    #: comments that held what looks like a secret
    secret: int = 0
    #: hunks that the base model was not shown, or not to their end
    unasked: int = 0
    #: questions that the budget of tokens or seconds did not reach
    over_budget: int = 0
    #: comments that named code which was not shown
    unseen: int = 0
    #: comments that most samples did not make
    disagreed: int = 0
    #: suggested changes that did not fit; their comments stand without them
    unapplied: int = 0
    #: hunks that the base was shown without the function around them, for the file could not be read
    unextended: int = 0
    #: GitHub listed as many files as it ever does, so there may be more that nobody saw
    list_cut: bool = False
    #: reviewer and policy: under others nothing is carried
    made_by: str = ""
    followed: Followed = Followed()

    @property
    def carried(self) -> tuple[FileCoverage, ...]:
        return tuple(file for file in self.files if file.carried)

    @property
    def skipped(self) -> tuple[FileCoverage, ...]:
        return tuple(file for file in self.files if file.outcome == "skipped")

    @property
    def unasked_lines(self) -> int:
        return sum(file.unasked_lines for file in self.files)

    @property
    def complete(self) -> bool:
        """Whether every file that holds readable added lines was read, every chosen line asked about and every question
        answered."""
        return (
            not self.list_cut
            and self.unanswered == 0
            and self.unasked == 0
            and self.unasked_lines == 0
            and self.over_budget == 0
            and not any(file.reason in _UNREVIEWED for file in self.skipped)
        )


def read_files(
    files: tuple[ChangedFile, ...],
    policy: ReviewPolicy = DEFAULT_REVIEW,
    *,
    before: ReadBefore | None = None,
    made_by: str = "",
    attributes: Attributes = NO_ATTRIBUTES,
) -> tuple[tuple[FileDiff, ...], Coverage]:
    """The diffs that can be read and that the owners want read, and the account of the others.

    What was read at an earlier head and is the same is not read again; `made_by` is who reads now. `attributes`: of the
    default branch.
    """
    carried = select_carried({file.path: file.patch for file in files}, before, made_by)
    diffs: list[FileDiff] = []
    rows: list[FileCoverage] = []
    left = LINES_PER_REVIEW
    for file in files:
        if file.path in carried:
            rows.append(_carry(file, before))
            continue
        diff, row = _read(file, left, policy, attributes)
        left -= row.lines_read
        rows.append(row)
        if diff is not None:
            diffs.append(diff)
    return tuple(diffs), Coverage(
        files=tuple(rows),
        hunks_read=sum(len(diff.hunks) for diff in diffs),
        lines_read=sum(row.lines_read for row in rows),
        list_cut=len(files) >= GITHUB_FILES_LIMIT,
        made_by=made_by,
    )


def read_before(coverage: Coverage) -> ReadBefore | None:
    """What a later review need not read again; None after one whose questions were not all answered.

    Files with lines that nobody asked about are carried, too, with their number: asking about them only because
    something else was pushed would bring new comments on old lines after every push.
    """
    if not coverage.made_by or coverage.unanswered or coverage.unasked or coverage.over_budget:
        return None
    patches = {file.path: file.patch_hash for file in coverage.files if file.outcome == "reviewed" and file.patch_hash}
    unasked = {file.path: file.unasked_lines for file in coverage.files if file.unasked_lines}
    return ReadBefore(made_by=coverage.made_by, patches=patches, unasked_lines=unasked)


def _carry(file: ChangedFile, before: ReadBefore | None) -> FileCoverage:
    unasked = 0 if before is None else before.unasked_lines.get(file.path, 0)
    return FileCoverage(
        path=file.path, outcome="reviewed", patch_hash=hash_patch(file.patch), carried=True, unasked_lines=unasked
    )


def count_unasked(coverage: Coverage, paths: Iterable[str]) -> Coverage:
    """The same account with the lines that nobody asked about: the path of each."""
    counts = Counter(paths)
    rows = tuple(
        row.model_copy(update={"unasked_lines": row.unasked_lines + counts[row.path]}) for row in coverage.files
    )
    return coverage.model_copy(update={"files": rows})


def leave_out(coverage: Coverage, reasons: Mapping[str, str]) -> Coverage:
    """The same account without files that turned out to be none to review: path → reason."""
    rows = tuple(
        FileCoverage(path=row.path, outcome="skipped", reason=reasons[row.path]) if row.path in reasons else row
        for row in coverage.files
    )
    return coverage.model_copy(update={"files": rows, "lines_read": sum(row.lines_read for row in rows)})


def _read(
    file: ChangedFile, left: int, policy: ReviewPolicy, attributes: Attributes
) -> tuple[FileDiff | None, FileCoverage]:
    if len(file.path) > LONGEST_PATH:
        return None, FileCoverage(path=file.path, outcome="skipped", reason="long_path")
    reason = policy.decide_left_out(file.path) or _unwanted(file.path, attributes) or _unreadable(file)
    if reason:
        return None, FileCoverage(path=file.path, outcome="skipped", reason=reason)
    try:
        diff = parse_patch(file.path, file.patch or "")
    except UserError:
        return None, FileCoverage(path=file.path, outcome="skipped", reason="unreadable")
    added = sum(1 for _ in diff.added())
    unwritten = None if not added else decide_unwritten(diff)
    if not added or (unwritten and not attributes.denies(file.path, "generated")):
        return None, FileCoverage(path=file.path, outcome="skipped", reason=unwritten or "nothing_added")
    if added > left:
        return None, FileCoverage(path=file.path, outcome="skipped", reason="over_limit")
    return diff, FileCoverage(path=file.path, outcome="reviewed", lines_read=added, patch_hash=hash_patch(file.patch))


def _unwanted(path: str, attributes: Attributes) -> str | None:
    """By the owners' word, else by the name, unless the owners say that the name misleads."""
    named = decide_unread(path)
    mark = "generated" if named == "minified" else named or ""
    return attributes.decide(path) or (None if attributes.denies(path, mark) else named)


def _unreadable(file: ChangedFile) -> str | None:
    if file.patch is not None:
        return None
    if file.status in {"removed", "renamed"} or file.changes == 0:
        return "nothing_added"
    return "too_large"
