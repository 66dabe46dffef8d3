"""Where → what → whether for one pull request: files in, findings and their coverage out. Posts nothing."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from app.domain.attributes import NO_ATTRIBUTES, Attributes
from app.domain.base import Record, content_hash
from app.domain.errors import Refused
from app.domain.findings import Finding
from app.domain.lines import LineSite
from app.domain.prompt import Message, parse_completion, render_prompt
from app.domain.review_policy import DEFAULT_REVIEW, ReviewPolicy
from app.inference.wire import TOO_LONG
from app.review.agreement import select_agreed
from app.review.asking import Late, ask_within
from app.review.budget import ANSWER_TOKENS, count_affordable, estimate_tokens
from app.review.coverage import ChangedFile, Coverage, count_unasked, read_files
from app.review.following import PostedFinding, decide_followed
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
from app.review.suggesting import NO_WORDS, find_fault, split_suggestion
from app.review.unseen import find_unseen

_log = logging.getLogger(__name__)


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
    """The adapter: the raw answer for a prompt, under the enforced schema; None when it gave none. With a seed it is a
    sample, without one the likeliest."""

    async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str | None: ...


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
    earlier: tuple[PostedFinding, ...] = (),
    dismissed: frozenset[str] = frozenset(),
    policy: ReviewPolicy = DEFAULT_REVIEW,
    before: ReadBefore | None = None,
    attributes: Attributes = NO_ATTRIBUTES,
    vocabulary: frozenset[str] = frozenset(),
) -> Draft:
    """Ask the adapter about the lines that the Locator picked and keep what the team would act on.

    `earlier`: what was posted on the pull request before; nothing is said anew of a line that has a comment of ours.
    `before`: what an earlier review of it read; files that are the same are not read again.
    `vocabulary`: names that the team uses in its reviews.
    """
    # Scores are computed in threads: a long diff must not hold up webhooks and the other reviews.
    candidates, coverage = await asyncio.to_thread(_locate, reviewer, files, policy, before, attributes)
    unsaid = drop_said(candidates, earlier)
    wanted = unsaid[: decide_questions(policy)]
    asked = wanted[: count_affordable([_cost(one, policy) for one in wanted], policy.max_tokens)]
    heard = await _ask_all(reviewer.writer, asked, policy)
    said = [one for one in heard.said if not find_unseen(one.comment, _question(one.candidate), vocabulary)]
    answered = await asyncio.to_thread(_accept, reviewer.acceptance, said)
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
    account = selection.counts | {
        "candidates": len(candidates),
        "repeated": selection.repeated + len(candidates) - len(unsaid),
        "followed": decide_followed(earlier, files, dismissed),
        "unanswered": heard.unanswered,
        "disagreed": heard.disagreed,
        "over_budget": heard.late + len(wanted) - len(asked),
        "unseen": len(heard.said) - len(said),
        "unapplied": sum(one.had_block and one.replacement is None for one in answered),
    }
    unasked = [one.site.path for one in unsaid[len(wanted) :]]
    covered = count_unasked(coverage, unasked).model_copy(update=account)
    return Draft(findings=selection.findings, coverage=covered, adapter=reviewer.adapter)


def select_seeds(policy: ReviewPolicy) -> list[int | None]:
    """One for each sample; None asks for the likeliest answer."""
    return [None] if policy.agreement == 1 else list(range(1, policy.agreement + 1))


def _locate(
    reviewer: Reviewer,
    files: tuple[ChangedFile, ...],
    policy: ReviewPolicy,
    before: ReadBefore | None,
    attributes: Attributes,
) -> tuple[tuple[Candidate, ...], Coverage]:
    made_by = content_hash("reader", {"adapter": reviewer.adapter, "policy": policy.model_dump(mode="json")})
    diffs, coverage = read_files(files, policy, before=before, made_by=made_by, attributes=attributes)
    sites = list_sites(diffs)
    scores = reviewer.locator.score([site for _, site in sites]) if sites else []
    return select_candidates(sites, scores, reviewer.locator.threshold), coverage


class _Said(NamedTuple):
    candidate: Candidate
    comment: str


class _Heard(NamedTuple):
    said: tuple[_Said, ...]
    unanswered: int
    disagreed: int
    late: int


async def _ask_all(writer: CommentWriter, asked: Sequence[Candidate], policy: ReviewPolicy) -> _Heard:
    """Every candidate as often as the policy asks, within its seconds, and what most samples say of each."""
    seeds = select_seeds(policy)
    came = await ask_within(policy.max_seconds, [partial(_ask, writer, one, seed) for one in asked for seed in seeds])
    said: list[_Said] = []
    counts = dict.fromkeys(("unanswered", "disagreed", "late"), 0)
    for index, candidate in enumerate(asked):
        own = came[index * len(seeds) : (index + 1) * len(seeds)]
        samples = [one for one in own if one is not Late.LATE]
        agreed = select_agreed(samples, len(seeds))
        spoken = None if agreed is None else samples[agreed.chosen]
        if len(samples) < len(seeds):
            counts["late"] += 1
        elif spoken is not None:
            said.append(_Said(candidate, spoken))
        else:
            counts["disagreed" if any(samples) else "unanswered"] += 1
    return _Heard(said=tuple(said), **counts)


def _accept(acceptance: AcceptanceScorer, said: Sequence[_Said]) -> tuple[Answered, ...]:
    return tuple(_answer(one, acceptance.score(one.candidate.site.text, one.comment)) for one in said)


def _answer(said: _Said, acceptance: float) -> Answered:
    """With a button where the comment holds a suggestion block that fits its line, else with its words alone."""
    split, line = split_suggestion(said.comment), said.candidate.site.line
    change = split.replacement
    applies = change is not None and find_fault(said.candidate.hunk, line, line, change) is None
    return Answered(
        candidate=said.candidate,
        comment=said.comment,
        acceptance=acceptance,
        shown=(split.words or (NO_WORDS if applies else None)) if split.had_block else None,
        replacement=change if applies else None,
        had_block=split.had_block,
    )


def _question(candidate: Candidate) -> str:
    return _prompt(candidate)[-1].content


def _prompt(candidate: Candidate) -> tuple[Message, ...]:
    return render_prompt(candidate.site.path, candidate.hunk, candidate.site.line)


def _cost(candidate: Candidate, policy: ReviewPolicy) -> int:
    prompt = sum(estimate_tokens(message.content) for message in _prompt(candidate))
    return (prompt + ANSWER_TOKENS) * policy.agreement


async def _ask(writer: CommentWriter, candidate: Candidate, seed: int | None) -> str | None:
    try:
        answer = await writer.write(_prompt(candidate), seed=seed)
    except Refused as error:
        if error.reason != TOO_LONG:
            raise
        _log.warning("a question is longer than the server takes, it gets no answer: %s", error)
        return None
    return None if answer is None else parse_completion(answer)
