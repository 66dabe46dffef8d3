"""What becomes of what we said, looked up by the hour: GitHub sends no webhook for a reaction or for a fixed line.

A pull request with Findings costs one request, one more for each comment of ours with a thumb on it and for each person
whose thumb it is, and one git fetch when its head moved. It is left alone a week after it was closed. Pull requests
whose Findings were held back are looked at in the same way: whether the line changed needs no comment to be told.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import Session

from app.curation.decision import PRIVATE_LABEL, REJECT_LABEL
from app.curation.people import People
from app.domain.errors import Refused, RetryLater
from app.domain.policies import Curation
from app.domain.safe_markdown import render_suggestion
from app.domain.verdicts import Feedback, Verdict, decide_verdict
from app.github.client import GitHubClient
from app.github.git import CommitGone, GitAccess, ensure_mirror, fetch_commits
from app.github.harvested import HarvestedPull
from app.github.said import Reacted
from app.harvest.feedback import Thumbs, Traced, read_signs, trace_place
from app.harvest.fixes import Place as CodePlace
from app.harvest.history import open_history
from app.harvest.wishes import decide_wishes
from app.screening.screen import decide_texts
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import load_installation, select_installations
from app.store.feedback import (
    Spoken,
    save_feedback,
    select_dismissals,
    select_feedback,
    select_open_pulls,
    select_spoken,
    settle_pull,
)
from app.store.steering import Place
from app.store.tables import FeedbackRow, FindingRow, ReviewRow
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, progress, scheduled, step, transaction, workflow
from app.workflows.runs import Queue

_log = logging.getLogger(__name__)
#: How long after its end a pull request may still be answered; later signs are rare and are not waited for.
SETTLING = timedelta(days=7)
#: Pull requests of an installation looked at in one hour, the last reviewed first. GitHub's least budget is 5,000.
MOST_PULLS = 200
#: After webhooks and sweeps: a Verdict may wait.
_PRIORITY = 3
#: As many in a row for which GitHub is away mean that it is away.
_AWAY = 3
_THUMBS = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}


@scheduled("feedback", "37 * * * *")
async def _poll(at: datetime) -> None:
    await _enqueue_polls(at.strftime("%Y%m%dT%H%M"))


@transaction
def _enqueue_polls(session: Session, tick: str) -> int:
    installations = select_installations(session)
    for row in installations:
        enqueue_poll(session, row.id, tick)
    return len(installations)


def enqueue_poll(session: Session, installation_id: int, tick: str) -> str:
    """At most one of an installation per tick; returns its workflow's id."""
    workflow_id = f"feedback:{installation_id}:{tick}"
    enqueue_in_transaction(
        session,
        "poll_feedback",
        workflow_id,
        installation_id,
        queue=Queue.GITHUB,
        partition=installation_id,
        priority=_PRIORITY,
    )
    return workflow_id


@workflow("poll_feedback")
async def poll_feedback(installation_id: int) -> dict[str, int]:
    """Every pull request with something open. Returns how many were looked at, how many Findings stand on them, and how
    many pull requests could not be looked at; those are asked again in an hour.

    Raises:
        RetryLater: when GitHub is away for one after the other.
    """
    counts, away = {"pull_requests": 0, "findings": 0, "failed": 0}, 0
    for repository, number in await list_open(installation_id):
        try:
            counts["findings"] += await poll_pull(installation_id, repository, number)
        except Exception as error:  # a repository that makes its look fail must not end that of the others
            away = away + 1 if isinstance(error, RetryLater) else 0
            if away == _AWAY:
                raise
            _log.error("no signs read of %s#%s: %s", repository, number, error)
            counts["failed"] += 1
        else:
            away = 0
            counts["pull_requests"] += 1
        await progress(stage="feedback", **counts)
    return counts


@step()
async def list_open(installation_id: int) -> list[tuple[str, int]]:
    with reading(services().database) as session:
        row = load_installation(session, installation_id)
        is_active = row is not None and row.state == "active"
        return select_open_pulls(session, installation_id, limit=MOST_PULLS) if is_active else []


@step()
async def poll_pull(installation_id: int, repository: str, number: int) -> int:
    """Read the signs of one pull request and save what they say now. Returns how many Findings it has."""
    place = Place(installation_id, repository, number)
    with reading(services().database) as session:
        spoken = select_spoken(session, place)
        known = {row.fingerprint: row for row in select_feedback(session, installation_id, place)}
    github = services().github(installation_id)
    try:
        pull = await github.fetch_harvest(repository, number)
    except Refused as error:
        if error.reason != "not_found":
            raise
        return await asyncio.to_thread(_give_up, place, spoken, known)
    ids = [one.finding.comment_id for one in spoken if one.finding.comment_id is not None]
    thumbs = await fetch_thumbs(github, pull, ids, repository)
    traced = await _trace(github, pull, spoken, known)
    return await asyncio.to_thread(_save, place, spoken, _Read(pull, thumbs, traced))


async def fetch_thumbs(
    github: GitHubClient, pull: HarvestedPull, comment_ids: Sequence[int], repository: str
) -> dict[int, Thumbs]:
    """Of people with write access, by comment. Asked for only where the harvest counts any; the App's own and other
    machines' are none."""
    counted = {thread.root.comment_id: thread.root.reactions for thread in pull.threads}
    wanted = [one for one in comment_ids if set(counted.get(one, ())) & set(_THUMBS.values())]
    found = {one: await github.list_reactions(repository, one) for one in wanted}
    people = People(github, repository)
    await people.ask((one.author, "") for listed in found.values() for one in listed if one.content in _THUMBS)
    return {one: _count_thumbs(listed, people) for one, listed in found.items()}


def _count_thumbs(listed: Sequence[Reacted], people: People) -> Thumbs:
    kinds = [one.content for one in listed if people.actor(one.author).may_decide]
    return Thumbs(up=kinds.count("+1"), down=kinds.count("-1"))


async def _trace(
    github: GitHubClient, pull: HarvestedPull, spoken: Sequence[Spoken], known: Mapping[str, FeedbackRow]
) -> dict[str, Traced]:
    """By fingerprint. Git is asked only about what was not looked at under this very head, or without keeping the line,
    which is needed where nothing of the pull request forbids it now: an empty one would pass for harmless."""
    bodies = {one.finding.fingerprint: one.finding.body for one in spoken}
    read = {
        fingerprint: Traced(Feedback.model_validate(row.signs).change, row.line_text)
        for fingerprint, row in known.items()
        if row.head_sha == pull.head_sha
        and (row.consent != "none" or decide_consent(pull, [bodies.get(fingerprint, "")]) == "none")
    }
    missing = [one for one in spoken if one.finding.fingerprint not in read]
    if not missing:
        return read
    url, access = github.git_url(pull.repository), await github.fetch_git_access()
    return read | await asyncio.to_thread(_ask_git, pull, missing, url, access)


def _ask_git(pull: HarvestedPull, spoken: Sequence[Spoken], url: str, access: GitAccess) -> dict[str, Traced]:
    host = services().host_of(spoken[0].review.installation_id).name
    mirror = ensure_mirror(services().data / "mirrors", host, pull.repository_id)
    shas = [pull.base_sha, pull.head_sha, *(one.review.head_sha for one in spoken)]
    with open_history(mirror) as history:
        with suppress(CommitGone):  # what is gone is unknown; an earlier fetch may have brought it
            fetch_commits(mirror, url, number=pull.number, shas=shas, access=access)
        return {
            one.finding.fingerprint: trace_place(
                history, _code_place(one.finding, one.review), head_sha=pull.head_sha, body=_said(one.finding)
            )
            for one in spoken
        }


def _said(finding: FindingRow) -> str:
    """Its words with the change that it suggested, for a change that stands in the code was taken."""
    change = finding.payload.get("replacement")
    return finding.body if change is None else f"{finding.body}\n\n{render_suggestion(change)}"


def _code_place(finding: FindingRow, review: ReviewRow) -> CodePlace:
    first = finding.payload.get("start_line") or finding.line
    return CodePlace(sha=review.head_sha, path=finding.path, first=first, last=finding.line)


def decide_consent(pull: HarvestedPull, texts: Sequence[str]) -> str:
    """What must be true before the AcceptanceFilter may learn from it: `evidence` nothing more, `approval` that people
    approved something of this pull request, `none` that nothing makes it so. Pure."""
    policy = pull.policy.policy
    is_refused = {PRIVATE_LABEL, REJECT_LABEL} & set(pull.labels) or policy.curation is Curation.OFF
    if is_refused or decide_wishes(pull) is not None or decide_texts(texts) is not None:
        return "none"
    return "evidence" if policy.curation is Curation.EVIDENCE else "approval"


class _Read(NamedTuple):
    """What one look at a pull request found. `traced` is by fingerprint, `thumbs` by comment."""

    pull: HarvestedPull
    thumbs: Mapping[int, Thumbs]
    traced: Mapping[str, Traced]


def _save(place: Place, spoken: Sequence[Spoken], read: _Read) -> int:
    """A Finding that was erased meanwhile gets no row."""
    now, ended = utc_now(), read.pull.closed_at
    settled = now if ended is not None and now >= ended + SETTLING else None
    consents = [  # reads strangers' texts, so before anybody waits for the database
        decide_consent(read.pull, [read.traced[one.finding.fingerprint].line_text, one.finding.body]) for one in spoken
    ]
    with writing(services().database) as session:
        standing = {one.finding.fingerprint for one in select_spoken(session, place)}
        dismissals = select_dismissals(session, place)
        rows = [
            _row(one, read, dismissals, consent)
            for one, consent in zip(spoken, consents, strict=True)
            if one.finding.fingerprint in standing
        ]
        for row in rows:
            row.settled_at = settled
        save_feedback(session, rows)
    return len(rows)


def _row(one: Spoken, read: _Read, dismissals: Mapping[str, bool], consent: str) -> FeedbackRow:
    pull, finding = read.pull, one.finding
    traced = read.traced[finding.fingerprint]
    told = {
        "dismissed": finding.fingerprint in dismissals,
        "dismissed_with_reason": dismissals.get(finding.fingerprint, False),
    }
    signs = read_signs(pull, finding.comment_id, change=traced.change, thumbs=read.thumbs).model_copy(update=told)
    return FeedbackRow(
        **_place(one),
        verdict=decide_verdict(signs).value,
        signs=signs.model_dump(mode="json"),
        head_sha=pull.head_sha,
        line_text=traced.line_text if consent != "none" else "",
        pull_request_created_at=pull.created_at,
        consent=consent,
    )


def _place(one: Spoken) -> dict[str, Any]:
    return {
        "review_id": one.review.id,
        "fingerprint": one.finding.fingerprint,
        "installation_id": one.review.installation_id,
        "repository": one.review.repository,
        "pull_request": one.review.pull_request,
        "held_back": one.is_held_back,
    }


def _give_up(place: Place, spoken: Sequence[Spoken], known: Mapping[str, FeedbackRow]) -> int:
    """GitHub does not show the pull request any more: what was read last stands, what was never read stays unknown."""
    rows = [
        FeedbackRow(
            **_place(one),
            verdict=Verdict.UNKNOWN.value,
            signs=Feedback().model_dump(mode="json"),
            head_sha="",
            line_text="",
            pull_request_created_at=one.review.created_at,
            consent="none",
        )
        for one in spoken
        if one.finding.fingerprint not in known
    ]
    with writing(services().database) as session:
        save_feedback(session, rows)
        settle_pull(session, place, utc_now())
    return len(spoken)
