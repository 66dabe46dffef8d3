"""The durable review of one head commit: draft → pending → submit → check run, at most once whatever is killed.

What was drafted lies in our tables, not in the journal, so that it can be erased. Each step first looks at what stands,
on GitHub or in the database, and only then acts; so each may run again.
"""

import logging
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session

from app.domain.errors import Refused, UnderstudyError
from app.domain.findings import Finding
from app.domain.onboarding import Work
from app.domain.review_policy import ReviewMode, ReviewPolicy, WithoutAdapter, is_held_back
from app.review.base_review import draft_base_review
from app.review.coverage import Coverage, read_before, read_files
from app.review.drafting import Draft, draft_review
from app.review.following import PostedFinding
from app.review.increment import ReadBefore
from app.review.messages import (
    decide_failure,
    render_comment,
    render_held_back,
    render_no_adapter,
    render_place,
    render_review_body,
)
from app.review.posting import OwnReview, decide_posting, match_comments
from app.review.repair import Batch, classify_refusal, repair_batch
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.feedback import load_ask
from app.store.references import Library
from app.store.reviews import (
    FINISHED,
    REVIEWED,
    restart_review,
    save_findings,
    save_posted_comments,
    save_review,
    save_review_state,
    select_reviews,
)
from app.store.steering import Place, load_pause, select_dismissed
from app.store.tables import ReviewRow
from app.watching.metrics import DROPPED, FINDINGS, REVIEW_SECONDS, REVIEWS
from app.workflows.checking import publish_check, publish_failure, publish_pause
from app.workflows.consent import may
from app.workflows.context import services
from app.workflows.engine import progress, step, transaction, workflow
from app.workflows.following import load_earlier, mark_comments
from app.workflows.retrieving import RepositoryNotes
from app.workflows.review_rows import load_drafted, load_row
from app.workflows.review_sources import fetch_changed, fetch_customs, make_surroundings
from app.workflows.reviewers import load_base_writer, load_reviewer

#: Attempts at getting from "what GitHub shows" to "one submitted review"; each acts once and looks again.
_POSTING_ACTS = 6
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Subject:
    """What a review is about, as its row says."""

    repository: str
    pull_request: int
    head_sha: str


@dataclass
class _Way:
    """How far a review came: once submitting began, it may stand on GitHub whatever fails afterwards."""

    submitting: bool = False


@workflow("review")
async def review(installation_id: int, repository: str, review_id: str, asked: str = "") -> str:
    """Review one head commit and return the review's final state.

    `review_id` is `<host>:<repository id>:<number>:<head sha>`, and so is the workflow's own id after `review:`.
    `asked`: empty for a push; `review` or `full` when a person asked, whom neither a pause nor a draft stops.
    """
    standing = await _plan(installation_id, repository, review_id, asked)
    if standing in REVIEWED:
        return standing
    way = _Way()
    try:
        state = await _review(installation_id, review_id, way, asked)
    except UnderstudyError as error:
        _log.error("review %s failed: %s", review_id, error)
        await _tell_failure(installation_id, review_id, error, way)
        await _settle(review_id, "failed")
        REVIEWS.labels("failed").inc()
        raise
    await _settle(review_id, state)
    REVIEWS.labels(state).inc()
    return state


async def _tell_failure(installation_id: int, review_id: str, error: UnderstudyError, way: _Way) -> None:
    """What made the review fail may stop its account, too; then the row and the log have it."""
    try:
        await publish_failure(installation_id, review_id, decide_failure(error), way.submitting)
    except UnderstudyError as other:
        _log.error("that review %s failed can't be shown on GitHub: %s", review_id, other)


async def _review(installation_id: int, review_id: str, way: _Way, asked: str) -> str:
    await progress(stage="draft")
    outcome = await draft(installation_id, review_id, asked)
    if outcome == "skipped":
        return "skipped"
    if outcome in ("no_adapter", "held_back"):
        text = render_no_adapter() if outcome == "no_adapter" else render_held_back()
        # Silent until something is learned: only who asked is told, and who reads of a pause or failure that is over.
        only_anew = outcome == "no_adapter" and not asked
        await publish_check(installation_id, review_id, text.model_dump(), only_anew=only_anew)
        return "skipped" if outcome == "no_adapter" else "held_back"
    if outcome == "paused":
        await publish_pause(installation_id, review_id)
        return "skipped"
    if outcome == "shadowed":
        await publish_check(installation_id, review_id, None, shadow=True)
        return "shadowed"
    if outcome == "drafted":
        await progress(stage="post")
        github_review_id = await create_pending(installation_id, review_id)
        way.submitting = True
        if not await submit(installation_id, review_id, github_review_id):
            return "skipped"
    await mark_comments(installation_id, review_id)
    await publish_check(installation_id, review_id, None)
    return "posted" if outcome == "drafted" else "silent"


@transaction
def _plan(session: Session, installation_id: int, repository: str, review_id: str, asked: str) -> str:
    """The state the review is in: a head that has its review keeps it, all else begins anew."""
    *_, pull_request, head_sha = review_id.split(":")
    row = ReviewRow(
        id=review_id,
        installation_id=installation_id,
        repository=repository,
        pull_request=int(pull_request),
        head_sha=head_sha,
        state="planned",
        full=asked == "full",
    )
    if save_review(session, row):
        return "planned"
    known = load_row(session, installation_id, review_id)
    if known.state in FINISHED - REVIEWED and known.github_review_id is not None:
        # It stands on GitHub and only its account is missing: drafted anew, its own comments would be repetitions.
        save_review_state(session, review_id, "drafted")
        return "planned"
    if known.state in FINISHED - REVIEWED:
        restart_review(session, known, full=asked == "full")
        return "planned"
    return known.state


class _Known(NamedTuple):
    """What our tables say before a review is drafted."""

    row: ReviewRow
    is_paused: bool
    earlier: tuple[PostedFinding, ...]
    dismissed: frozenset[str]
    before: ReadBefore | None


@step()
async def draft(installation_id: int, review_id: str, asked: str = "") -> str:
    """Returns drafted, silent, shadowed, held_back, paused, no_adapter or skipped. Findings and coverage are saved; a
    second run finds them."""
    known = _load_known(installation_id, review_id)
    row, github = known.row, services().github(installation_id)
    if not await may(Work.ACT, installation_id, row.repository):
        return "skipped"
    policy = (await github.fetch_policy(row.repository)).policy
    if row.state == "drafted":
        return _decide_fate(policy.review, row, speaks=bool(load_drafted(review_id)))
    if known.is_paused and not asked:
        return "paused"
    pull = await github.fetch_pull(row.repository, row.pull_request)
    if not policy.is_reviewing or not _is_due(pull, row, may_be_draft=bool(asked) or policy.review.drafts):
        return "skipped"
    drafted = await _draft(installation_id, known, policy.review)
    if drafted is None:
        return "no_adapter"
    with writing(services().database) as session:
        save_findings(session, review_id, drafted.findings)
        coverage = drafted.coverage.model_dump(mode="json")
        save_review_state(session, review_id, "drafted", coverage=coverage, adapter=drafted.adapter)
    for outcome in DROPPED:
        FINDINGS.labels(outcome).inc(coverage[outcome])
    return _decide_fate(policy.review, row, speaks=bool(drafted.findings))


def _decide_fate(policy: ReviewPolicy, row: ReviewRow, *, speaks: bool) -> str:
    """Of a drafted review. A pull request held back says the same of its silence: that there was something to say is
    something said, and whoever asks for a review there would undo the chance that chose it."""
    if policy.mode is ReviewMode.SHADOW:
        return "shadowed"
    if is_held_back(policy.holdback, int(row.id.split(":")[-3]), row.pull_request):
        return "held_back"
    return "drafted" if speaks else "silent"


def _load_known(installation_id: int, review_id: str) -> _Known:
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
        place = Place(installation_id, row.repository, row.pull_request)
        return _Known(
            row=row,
            is_paused=load_pause(session, place) is not None,
            earlier=load_earlier(session, row),
            dismissed=frozenset(select_dismissed(session, place)),
            before=None if row.full else _read_before(session, row),
        )


def _read_before(session: Session, row: ReviewRow) -> ReadBefore | None:
    """What the newest finished review of another head of this pull request read."""
    rows = select_reviews(session, row.installation_id, repository=row.repository, pull_request=row.pull_request)
    earlier = [one for one in rows if one.state in REVIEWED and one.id != row.id]
    if not earlier:
        return None
    return read_before(Coverage.model_validate(earlier[-1].coverage))


def _is_due(pull: dict[str, Any], row: ReviewRow, *, may_be_draft: bool) -> bool:
    is_ready = may_be_draft or not pull.get("draft")
    return bool(pull["state"] == "open" and is_ready and pull["head"]["sha"] == row.head_sha)


async def _draft(installation_id: int, known: _Known, policy: ReviewPolicy) -> Draft | None:
    """By the promoted adapter; without one by the base where the owners want that; None when nobody may speak."""
    row, github = known.row, services().github(installation_id)
    about: dict[str, Any] = {"repository": row.repository, "pull_request": row.pull_request, "policy": policy}
    about |= {"earlier": known.earlier, "dismissed": known.dismissed}
    reviewer = await load_reviewer(installation_id)
    if reviewer is None and policy.without_adapter is not WithoutAdapter.BASE:
        return None
    files = await fetch_changed(github, row.repository, row.pull_request)
    about |= await fetch_customs(installation_id, github, row.repository)
    if reviewer is not None:
        return await draft_review(reviewer, files, **about, before=known.before)
    about["agents_text"] = await github.fetch_agents_text(row.repository) if policy.read_agents_file else ""
    about["surroundings"] = make_surroundings(github, row.repository, row.head_sha)
    library = Library(installation_id, int(row.id.split(":")[-3]), row.repository)
    about["notes"] = RepositoryNotes(library, row.pull_request)
    return await draft_base_review(await load_base_writer(installation_id), files, **about)


@step()
async def create_pending(installation_id: int, review_id: str) -> int:
    """The id of our review of this head: pending, or submitted by a run that was killed right after."""
    github = services().github(installation_id)
    subject = _load_subject(installation_id, review_id)
    for _ in range(_POSTING_ACTS):
        act = decide_posting(await _own_reviews(installation_id, subject), subject.head_sha)
        if act.act in ("done", "submit") and act.review_id is not None:
            return act.review_id
        if act.act == "discard" and act.review_id is not None:
            await github.delete_pending_review(subject.repository, subject.pull_request, act.review_id)
            continue
        try:
            return await _create(installation_id, subject, load_drafted(review_id))
        except Refused as refusal:
            if classify_refusal(refusal.reason, str(refusal)) != "pending":
                raise
    raise UnderstudyError(
        f"pending reviews kept appearing on {subject.repository}#{subject.pull_request}; none was submitted"
    )


async def _create(installation_id: int, subject: _Subject, findings: tuple[Finding, ...]) -> int:
    """One request, and another only when GitHub refused a place: `app/review/repair.py` says which."""
    github, where = services().github(installation_id), (subject.repository, subject.pull_request)
    batch = Batch(inline=findings)
    while True:
        body = render_review_body(findings, subject.head_sha, batch.in_words)
        comments = [render_place(one) | {"body": render_comment(one)} for one in batch.inline]
        try:
            return await github.create_pending_review(*where, subject.head_sha, body, comments)
        except Refused as refusal:
            if classify_refusal(refusal.reason, str(refusal)) != "place":
                raise
            _log.warning("GitHub refused a place in a review: %s", refusal)
            diffs, _ = read_files(await fetch_changed(github, *where))
            repaired = repair_batch(batch, diffs)
            if repaired is None:
                raise
            batch = repaired


@step()
async def submit(installation_id: int, review_id: str, github_review_id: int) -> bool:
    """Submit the pending review, unless the head moved meanwhile: then it is taken back. True when it stands."""
    github = services().github(installation_id)
    subject = _load_subject(installation_id, review_id)
    where = (subject.repository, subject.pull_request)
    own = await _own_reviews(installation_id, subject)
    standing = next((review for review in own if review.review_id == github_review_id), None)
    if standing is None:
        return False  # taken back by a run that was killed before it could say so
    findings = load_drafted(review_id)
    if standing.state == "PENDING":
        if (await github.fetch_pull(*where))["head"]["sha"] != subject.head_sha:
            await github.delete_pending_review(*where, github_review_id)
            return False
        await github.submit_review(*where, github_review_id, standing.body)
    comments = await github.list_review_comments(*where, github_review_id)
    with writing(services().database) as session:
        save_posted_comments(session, review_id, match_comments(findings, comments))
        save_review_state(session, review_id, "drafted", github_review_id=github_review_id)
        asked_at = load_ask(session, review_id)
    FINDINGS.labels("posted").inc(len(findings))
    if asked_at is not None:
        REVIEW_SECONDS.observe((utc_now() - asked_at).total_seconds())
    return True


async def _own_reviews(installation_id: int, subject: _Subject) -> tuple[OwnReview, ...]:
    login = services().host_of(installation_id).login
    listed = await services().github(installation_id).list_reviews(subject.repository, subject.pull_request)
    return tuple(
        OwnReview(
            review_id=item["id"],
            state=item["state"],
            body=item.get("body") or "",
            commit_sha=item.get("commit_id") or "",
        )
        for item in listed
        if (item.get("user") or {}).get("login") == login
    )


@transaction
def _settle(session: Session, review_id: str, state: str) -> str:
    save_review_state(session, review_id, state)
    return state


def _load_subject(installation_id: int, review_id: str) -> _Subject:
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
    return _Subject(repository=row.repository, pull_request=row.pull_request, head_sha=row.head_sha)
