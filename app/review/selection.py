"""Where and whether, as pure decisions over scores: which lines to ask about, which answers to post."""

from app.domain.base import Record
from app.domain.diff import FileDiff, Hunk
from app.domain.findings import Finding, decide_severity, finding_fingerprint
from app.domain.lines import LineSite, render_sites

#: Inline comments in one review. Peers' users name noise as the first reason to switch a reviewer off.
COMMENTS_PER_REVIEW = 5
#: Questions to the adapter in one review: a few more than can be posted, since some answers are held back.
QUESTIONS_PER_REVIEW = 8


class Candidate(Record):
    """A line that may deserve a comment. `score` is the Locator's probability in 0..1."""

    hunk: Hunk
    site: LineSite
    score: float


class Answered(Record):
    """A candidate and the adapter's words for it, with the AcceptanceFilter's probability in 0..1."""

    candidate: Candidate
    comment: str
    acceptance: float


class Selection(Record):
    """What to post, and counts of what was not, by reason."""

    findings: tuple[Finding, ...]
    silenced: int
    capped: int
    repeated: int


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


def select_findings(
    answered: tuple[Answered, ...],
    *,
    repository: str,
    pull_request: int,
    adapter: str,
    acceptance_threshold: float,
    known_fingerprints: frozenset[str],
) -> Selection:
    """Caps and the AcceptanceFilter. What was said before on this pull request is not said again."""
    kept: list[Finding] = []
    said = set(known_fingerprints)
    spoken: set[tuple[str, str, str]] = set()
    silenced = repeated = 0
    for item in sorted(answered, key=lambda entry: -entry.candidate.score):
        site = item.candidate.site
        fingerprint = finding_fingerprint(site.path, site.text, item.comment)
        same_words_here = (site.path, item.candidate.hunk.header, item.comment.lower())
        if item.acceptance < acceptance_threshold:
            silenced += 1
        elif fingerprint in said or same_words_here in spoken:
            repeated += 1
        else:
            said.add(fingerprint)
            spoken.add(same_words_here)
            kept.append(_finding(item, repository, pull_request, adapter, fingerprint))
    return Selection(
        findings=tuple(kept[:COMMENTS_PER_REVIEW]),
        silenced=silenced,
        capped=max(0, len(kept) - COMMENTS_PER_REVIEW),
        repeated=repeated,
    )


def _finding(item: Answered, repository: str, pull_request: int, adapter: str, fingerprint: str) -> Finding:
    site = item.candidate.site
    return Finding(
        repository=repository,
        pull_request=pull_request,
        path=site.path,
        line=site.line,
        body=item.comment,
        severity=decide_severity(item.comment),
        fingerprint=fingerprint,
        locator_score=item.candidate.score,
        acceptance_score=item.acceptance,
        adapter=adapter,
    )
