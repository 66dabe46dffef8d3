"""Where and whether, as pure decisions over scores: which lines to ask about, which answers to post."""

from collections.abc import Iterable
from typing import get_args

from app.domain.base import Record
from app.domain.diff import FileDiff, Hunk
from app.domain.findings import Finding, Severity, decide_severity, finding_fingerprint, finding_words
from app.domain.lines import LineSite, render_sites
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.following import PostedFinding, is_said
from app.screening.secrets import find_secret

#: Questions to the adapter in one review over the comments it may hold, since some answers are held back.
SPARE_QUESTIONS = 5
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def decide_questions(policy: ReviewPolicy) -> int:
    """How often the model is asked in one review at most."""
    return policy.max_comments + SPARE_QUESTIONS


class Candidate(Record):
    """A line that may deserve a comment. `score` is the Locator's probability in 0..1."""

    hunk: Hunk
    site: LineSite
    score: float


class Answered(Record):
    """A candidate and the adapter's words for it, with the AcceptanceFilter's probability in 0..1.

    `shown`: the words that are posted where they are not `comment` itself, which tells the Finding again. A comment on
    more than the candidate's line begins at `start_line`; `replacement` applies cleanly.
    """

    candidate: Candidate
    comment: str
    acceptance: float
    shown: str | None = None
    start_line: int | None = None
    replacement: str | None = None
    #: the adapter wrote a suggestion block, whether it applies or not
    had_block: bool = False


class Selection(Record):
    """What to post, and counts of what was not, by reason."""

    findings: tuple[Finding, ...]
    silenced: int
    capped: int
    repeated: int
    dismissed: int = 0
    minor: int = 0
    #: comments or suggested changes that hold what looks like a secret
    secret: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return {key: getattr(self, key) for key in ("silenced", "capped", "repeated", "dismissed", "minor", "secret")}


def list_sites(diffs: tuple[FileDiff, ...]) -> list[tuple[Hunk, LineSite]]:
    """Every added line of the diffs that the Locator scores, in reading order."""
    return [(hunk, site) for diff in diffs for hunk in diff.hunks for site in render_sites(diff.path, hunk)]


def select_candidates(
    sites: list[tuple[Hunk, LineSite]], scores: list[float], threshold: float
) -> tuple[Candidate, ...]:
    """The best-scored lines at or over the threshold, best first. Ties keep reading order."""
    over = [
        Candidate(hunk=hunk, site=site, score=score)
        for (hunk, site), score in zip(sites, scores, strict=True)
        if score >= threshold
    ]
    return tuple(sorted(over, key=lambda candidate: -candidate.score))


def drop_said(candidates: tuple[Candidate, ...], earlier: Iterable[PostedFinding]) -> tuple[Candidate, ...]:
    """Without the lines that have a comment of ours already: the same in other words would be the same again."""
    known = tuple(earlier)
    return tuple(one for one in candidates if not is_said(one.site.path, one.site.text, known))


def select_findings(
    answered: tuple[Answered, ...],
    *,
    repository: str,
    pull_request: int,
    adapter: str,
    acceptance_threshold: float,
    known_fingerprints: frozenset[str],
    dismissed: frozenset[str] = frozenset(),
    policy: ReviewPolicy = DEFAULT_REVIEW,
) -> Selection:
    """Caps and the AcceptanceFilter. What was said before on this pull request is not said again, and what people
    dismissed (`dismissed`: fingerprints and words) is not said at all."""
    kept: list[Finding] = []
    said = set(known_fingerprints)
    spoken: set[tuple[str, str, str]] = set()
    counts = dict.fromkeys(("silenced", "repeated", "dismissed", "minor", "secret"), 0)
    for item in sorted(answered, key=lambda entry: -entry.candidate.score):
        finding = _finding(item, repository, pull_request, adapter)
        same_words_here = (finding.path, item.candidate.hunk.header, item.comment.lower())
        if item.acceptance < acceptance_threshold:
            counts["silenced"] += 1
        elif dismissed & {finding.fingerprint, finding.words}:
            counts["dismissed"] += 1
        elif finding.fingerprint in said or same_words_here in spoken:
            counts["repeated"] += 1
        elif _SEVERITIES.index(finding.severity) < _SEVERITIES.index(policy.min_severity):
            counts["minor"] += 1
        elif find_secret(f"{finding.body}\n{finding.replacement or ''}"):
            counts["secret"] += 1  # a password pasted into code, said again in a comment, would outlive its removal
        else:
            said.add(finding.fingerprint)
            spoken.add(same_words_here)
            kept.append(finding)
    capped = max(0, len(kept) - policy.max_comments)
    return Selection(findings=tuple(kept[: policy.max_comments]), capped=capped, **counts)


def _finding(item: Answered, repository: str, pull_request: int, adapter: str) -> Finding:
    site = item.candidate.site
    # What people see, without a suggestion block: the words are all that is kept to know the comment again by.
    said = item.comment if item.shown is None else item.shown
    return Finding(
        repository=repository,
        pull_request=pull_request,
        path=site.path,
        line=site.line,
        start_line=item.start_line,
        body=said,
        replacement=item.replacement,
        severity=decide_severity(item.comment),
        fingerprint=finding_fingerprint(site.path, site.text, said),
        words=finding_words(site.text, said),
        locator_score=item.candidate.score,
        acceptance_score=item.acceptance,
        adapter=adapter,
    )
