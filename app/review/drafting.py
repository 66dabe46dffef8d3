"""Where → what → whether for one pull request: files in, findings and their coverage out. Posts nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.base import Record, content_hash
from app.domain.findings import Finding
from app.domain.lines import LineSite
from app.domain.prompt import Message, parse_completion, render_prompt
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.review.coverage import ChangedFile, Coverage, read_files
from app.review.following import Earlier, decide_followed
from app.review.increment import ReadBefore
from app.review.selection import (
    Answered,
    Candidate,
    decide_questions,
    drop_said,
    list_sites,
    select_candidates,
    select_findings,
)


class LineScorer(Protocol):
    """The Locator: a probability in 0..1 per site that this team's reviewers would comment on it."""

    @property
    def threshold(self) -> float: ...

    def score(self, sites: Sequence[LineSite]) -> list[float]: ...


class AcceptanceScorer(Protocol):
    """The AcceptanceFilter: a probability in 0..1 that this team acts on the words about the line."""

    @property
    def threshold(self) -> float: ...

    def score(self, line_text: str, body: str) -> float: ...


class CommentWriter(Protocol):
    """The adapter: the raw answer for a prompt, under the enforced schema; None when it gave none."""

    async def write(self, messages: tuple[Message, ...]) -> str | None: ...


@dataclass(frozen=True)
class Reviewer:
    """One AdapterVersion ready to review: where, what and whether together."""

    adapter: str
    locator: LineScorer
    writer: CommentWriter
    acceptance: AcceptanceScorer


class Draft(Record):
    """`adapter`: who wrote it."""

    findings: tuple[Finding, ...]
    coverage: Coverage
    adapter: str


async def draft_review(
    reviewer: Reviewer,
    files: tuple[ChangedFile, ...],
    *,
    repository: str,
    pull_request: int,
    earlier: tuple[Earlier, ...] = (),
    dismissed: frozenset[str] = frozenset(),
    policy: ReviewPolicy = DEFAULT_REVIEW,
    before: ReadBefore | None = None,
) -> Draft:
    """Ask the adapter about the lines that the Locator picked and keep what the team would act on.

    `earlier`: what was posted on the pull request before; nothing is said anew of a line that has a comment of ours.
    `before`: what an earlier review of it read; files that are the same are not read again.
    """
    # Scores are computed in threads: a long diff must not hold up webhooks and the other reviews.
    candidates, coverage = await asyncio.to_thread(_locate, reviewer, files, policy, before)
    unsaid = drop_said(candidates, earlier)
    asked = unsaid[: decide_questions(policy)]
    comments = await asyncio.gather(*(_ask(reviewer.writer, candidate) for candidate in asked))
    answered = await asyncio.to_thread(_accept, reviewer.acceptance, asked, comments)
    selection = select_findings(
        answered,
        repository=repository,
        pull_request=pull_request,
        adapter=reviewer.adapter,
        acceptance_threshold=reviewer.acceptance.threshold,
        known_fingerprints=frozenset(one.fingerprint for one in earlier),
        dismissed=dismissed,
        policy=policy,
    )
    account = {
        "candidates": len(candidates),
        "silenced": selection.silenced,
        "capped": selection.capped + len(unsaid) - len(asked),
        "repeated": selection.repeated + len(candidates) - len(unsaid),
        "dismissed": selection.dismissed,
        "minor": selection.minor,
        "unanswered": len(asked) - len(answered),
        "followed": decide_followed(earlier, files, dismissed),
    }
    covered = coverage.model_copy(update=account)
    return Draft(findings=selection.findings, coverage=covered, adapter=reviewer.adapter)


def _locate(
    reviewer: Reviewer, files: tuple[ChangedFile, ...], policy: ReviewPolicy, before: ReadBefore | None
) -> tuple[tuple[Candidate, ...], Coverage]:
    made_by = content_hash("reader", {"adapter": reviewer.adapter, "policy": policy.model_dump(mode="json")})
    diffs, coverage = read_files(files, policy, before=before, made_by=made_by)
    sites = list_sites(diffs)
    scores = reviewer.locator.score([site for _, site in sites]) if sites else []
    return select_candidates(sites, scores, reviewer.locator.threshold), coverage


def _accept(
    acceptance: AcceptanceScorer, asked: Sequence[Candidate], comments: Sequence[str | None]
) -> tuple[Answered, ...]:
    return tuple(
        Answered(candidate=candidate, comment=comment, acceptance=acceptance.score(candidate.site.text, comment))
        for candidate, comment in zip(asked, comments, strict=True)
        if comment is not None
    )


async def _ask(writer: CommentWriter, candidate: Candidate) -> str | None:
    answer = await writer.write(render_prompt(candidate.site.path, candidate.hunk, candidate.site.line))
    return None if answer is None else parse_completion(answer)
