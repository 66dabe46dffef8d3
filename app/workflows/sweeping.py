"""The hourly sweep: an event is a hint, and hints get lost. Whatever changed since the last sweep is compared with what
we did, and what is missing is enqueued under the very ids that the lost webhooks would have given it.

Found: merges, heads of open pull requests, labels that decide, commands, repositories given to the App. Not found,
because no list shows it: comments that were edited or deleted after the merge. A default branch that moved has its
history read on and its documentation indexed. An idle hour costs a repository one request, free of GitHub's limit where
its ETag still fits (GitHub binds it to the token, which lives for an hour), and one question to git, which has no such
limit.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlmodel import Session

from app.curation.decision import APPROVE_LABEL, LABELS, REJECT_LABEL
from app.domain.commands import CURATING, parse_command
from app.domain.errors import RetryLater
from app.domain.onboarding import Onboarding, Work, is_allowed
from app.github.git import ensure_mirror, fetch_default_head
from app.github.listed import ListedPull
from app.github.said import ListedComment
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import load_installation, select_installations
from app.store.learning import select_approvals_in_force
from app.store.repositories import (
    ensure_repository,
    load_repository,
    save_sweep,
    select_harvested_heads,
)
from app.store.reviews import select_reviews
from app.store.tables import RepositoryRow
from app.workflows.backfilling import enqueue_backfill, enqueue_harvest, list_repositories
from app.workflows.consent import find_place
from app.workflows.context import services
from app.workflows.deliveries import Start, enqueue_start, hearing, look_at
from app.workflows.engine import enqueue_in_transaction, progress, scheduled, step, transaction, workflow
from app.workflows.history import enqueue_history
from app.workflows.indexing import enqueue_index
from app.workflows.onboarding import enqueue_onboarding
from app.workflows.runs import Queue
from app.workflows.sweep_starts import SWEEP_PRIORITY, enqueue_sweep

#: A sweep looks back further than the last one began: clocks differ, and lists lag.
OVERLAP = timedelta(minutes=15)
#: Pages of 100 looked at in one repository; beyond that it is a backfill's work.
_MOST_PAGES = 20
_log = logging.getLogger(__name__)


class Known(NamedTuple):
    """What we did about a pull request: the head it was harvested at, heads that have a review, decisions in force."""

    harvested: str | None
    reviewed: frozenset[str]
    decided: frozenset[str]


class Missing(NamedTuple):
    work: Literal["harvest", "review", "curate"]
    pull: ListedPull


def select_missing(
    pulls: Iterable[ListedPull], known: dict[int, Known], *, watched_since: datetime
) -> tuple[Missing, ...]:
    """What lost webhooks should have started. Pure.

    The head of a pull request that was open before the App came, and got no review then, is left alone.
    """
    nothing = Known(None, frozenset(), frozenset())
    found = []
    for pull in pulls:
        did = known.get(pull.number, nothing)
        if pull.merged_at is not None:
            if did.harvested != pull.head_sha:
                found.append(Missing("harvest", pull))
            elif _decision(pull.labels) != did.decided:
                found.append(Missing("curate", pull))
        elif pull.state == "open" and not pull.draft and pull.head_sha not in did.reviewed:
            seen = did.reviewed or pull.created_at >= watched_since - OVERLAP
            found += [Missing("review", pull)] if seen else []
    return tuple(found)


def _decision(labels: tuple[str, ...]) -> frozenset[str]:
    """What the labels say: the reject label wins."""
    if REJECT_LABEL in labels:
        return frozenset({"reject"})
    return frozenset({"approve"}) if APPROVE_LABEL in labels else frozenset()


@scheduled("sweep", "7 * * * *")
async def _sweep(at: datetime) -> None:
    await _enqueue_sweeps(at.strftime("%Y%m%dT%H%M"))


@transaction
def _enqueue_sweeps(session: Session, tick: str) -> int:
    """One for each active installation, in its own queue: a tenant that is slow to answer holds up no other."""
    installations = select_installations(session)
    for row in installations:
        enqueue_sweep(session, row.id, tick)
    return len(installations)


@workflow("sweep_installation")
async def sweep_installation(installation_id: int, tick: str) -> dict[str, int]:
    """Every repository of the installation. Returns what was missing, by kind of work, and `repositories`."""
    counts: dict[str, int] = {"repositories": 0}
    page, more = 1, True
    while more and await _is_active(installation_id):
        found = await list_repositories(installation_id, page)
        await _watch(installation_id, tick, found["repositories"])
        for repository_id, _ in found["repositories"]:
            for work, count in (await sweep_repository(installation_id, repository_id)).items():
                counts[work] = counts.get(work, 0) + count
            counts["repositories"] += 1
            await progress(stage="sweep", **counts)
        more, page = found["more"], page + 1
    return counts


@transaction
def _is_active(session: Session, installation_id: int) -> bool:
    row = load_installation(session, installation_id)
    return row is not None and row.state == "active"


@transaction
def _watch(session: Session, installation_id: int, tick: str, repositories: list[tuple[int, str]]) -> int:
    """Repositories that nobody told us about are new: they get their backfill."""
    new = sum(ensure_repository(session, installation_id, number, name) for number, name in repositories)
    if new:
        enqueue_backfill(session, installation_id, f"sweep-{tick}", scope="new")
    return new


@step()
async def sweep_repository(installation_id: int, repository_id: int) -> dict[str, int]:
    """Reads the list, enqueues, then remembers the moment and the ETag: run twice, it enqueues the same ids."""
    began_at = utc_now()
    with reading(services().database) as session:
        row = load_repository(session, installation_id, repository_id)
    if row is None:
        return {}
    pulls, etag = await _fetch_changed(row)
    head = await _fetch_head(row)
    place = await find_place(installation_id, row.full_name, repository_id)
    may_act = is_allowed(place, Work.ACT)
    starts = (*(await _fetch_commands(row) if pulls else ()), *_looks(row, pulls)) if may_act else ()
    await asyncio.to_thread(_enqueue_starts, row.installation_id, starts)
    return await asyncio.to_thread(_enqueue_missing, row, _Found(pulls, began_at, etag, head, place))


def _enqueue_starts(installation_id: int, starts: tuple[Start, ...]) -> None:
    with writing(services().database) as session:
        for start in starts:
            priority = SWEEP_PRIORITY if start.queue is Queue.GITHUB else 0
            enqueue_start(session, start, installation_id, priority=priority)


async def _fetch_commands(row: RepositoryRow) -> tuple[Start, ...]:
    """What commands should have started; those that were heard have the same ids. Two requests, where a pull request
    changed at all: a comment changes the one it stands on."""
    since = (row.swept_at or row.watched_since) - OVERLAP
    listed = await services().github(row.installation_id).list_comments_since(row.full_name, since)
    host = services().host_of(row.installation_id).name
    return tuple(start for one in listed for start in decide_heard(one, row, host))


def decide_heard(one: ListedComment, row: RepositoryRow, host: str) -> tuple[Start, ...]:
    """The hearing of a command and, for one that is curation's, the curation. Pure."""
    heard = hearing(row.installation_id, host, one.node_id, one.body) if one.author.kind == "User" else None
    command = parse_command(one.body)
    if heard is None or command is None:
        return ()
    if command.verb not in CURATING or not one.is_on_line:
        return (heard,)
    arguments = (row.installation_id, row.full_name, one.number)
    return heard, Start("curate", f"curate:{host}:{row.repository_id}:{one.node_id}:{command.key}", arguments)


async def _fetch_head(row: RepositoryRow) -> str | None:
    """The newest commit of the default branch, by git. None when it can't be told now: the next sweep asks again."""
    github = services().github(row.installation_id)
    url, access = github.git_url(row.full_name), await github.fetch_git_access()
    host = services().host_of(row.installation_id).name

    def ask() -> str | None:
        mirror = ensure_mirror(services().data / "mirrors", host, row.repository_id)
        return fetch_default_head(mirror, url, access=access)

    try:
        return await asyncio.to_thread(ask)
    except RetryLater as error:
        _log.warning("the default branch of repository %d was not looked at: %s", row.repository_id, error)
        return None


async def _fetch_changed(row: RepositoryRow) -> tuple[list[ListedPull], str | None]:
    """Pull requests updated since the last sweep, and the first page's ETag."""
    github = services().github(row.installation_id)
    since = (row.swept_at or row.watched_since) - OVERLAP
    first = await github.fetch_updated(row.full_name, etag=row.etag)
    found, page = first, 1
    pulls: list[ListedPull] = []
    while found.pulls is not None:
        pulls += [pull for pull in found.pulls if pull.updated_at.astimezone(UTC) >= since]
        if len(pulls) < page * 100 or not found.has_more or page == _MOST_PAGES:
            break
        page += 1
        found = await github.fetch_updated(row.full_name, page=page)
    return pulls, first.etag


class _Found(NamedTuple):
    """What a sweep of a repository read: pull requests, when it began, the list's ETag, the default branch's head."""

    pulls: list[ListedPull]
    began_at: datetime
    etag: str | None
    head: str | None
    place: Onboarding


def _enqueue_missing(row: RepositoryRow, found: _Found) -> dict[str, int]:
    pulls, began_at, etag, head, place = found
    with writing(services().database) as session:
        counts: dict[str, int] = {}
        known = _load_known(session, row, pulls)
        if place is not Onboarding.STARTED:
            propose = row.backfill_listed_at is not None
            enqueue_onboarding(session, row, f"sweep-{began_at.isoformat()}", propose=propose)
        for missing in select_missing(pulls, known, watched_since=row.watched_since):
            if not is_allowed(place, Work.READ if missing.work == "harvest" else Work.ACT):
                continue
            _enqueue(session, row, missing)
            counts[missing.work] = counts.get(missing.work, 0) + 1
        if head is not None and head != row.seen_head:  # the same head may come back: each sweep asks anew
            enqueue_history(session, row, f"{head}@{'' if row.swept_at is None else row.swept_at.isoformat()}")
            counts["history"] = 1
        if head is not None and head != row.indexed_head:
            enqueue_index(session, row, f"{head}@{'' if row.swept_at is None else row.swept_at.isoformat()}")
            counts["index"] = 1
        save_sweep(session, row.installation_id, row.repository_id, began_at=began_at, etag=etag)
    return counts


def _looks(row: RepositoryRow, pulls: list[ListedPull]) -> list[Start]:
    """New heads whose policy file nobody looked at yet, drafts among them."""
    host = services().host_of(row.installation_id).name
    return [
        look_at(
            row.installation_id,
            row.full_name,
            f"{host}:{row.repository_id}:{pull.number}:{pull.head_sha}",
            draft=pull.draft,
        )
        for pull in pulls
        if pull.state == "open" and pull.created_at >= row.watched_since - OVERLAP
    ]


def _load_known(session: Session, row: RepositoryRow, pulls: list[ListedPull]) -> dict[int, Known]:
    if not pulls:
        return {}
    harvested = select_harvested_heads(session, row.installation_id, row.repository_id, [pull.number for pull in pulls])
    decided: dict[int, set[str]] = {}
    for approval in select_approvals_in_force(session, row.installation_id).values():
        if approval.repository == row.full_name and approval.decision != "void":
            decided.setdefault(approval.pull_request, set()).add(approval.decision)
    reviewed: dict[int, set[str]] = {}
    for review in select_reviews(session, row.installation_id, repository=row.full_name):
        reviewed.setdefault(review.pull_request, set()).add(review.head_sha)
    return {
        pull.number: Known(
            harvested.get(pull.number),
            frozenset(reviewed.get(pull.number, ())),
            frozenset(decided.get(pull.number, ())),
        )
        for pull in pulls
    }


def _enqueue(session: Session, row: RepositoryRow, missing: Missing) -> None:
    pull = missing.pull
    if missing.work == "harvest":
        enqueue_harvest(session, row, pull.number, pull.head_sha, priority=SWEEP_PRIORITY)
        return
    host = services().host_of(row.installation_id).name
    head = f"{host}:{row.repository_id}:{pull.number}:{pull.head_sha}"
    arguments: tuple[Any, ...] = (row.installation_id, row.full_name)
    if missing.work == "review":
        workflow_id, arguments = f"review:{head}", (*arguments, head)
    else:  # a label has no id of its own: the same list shows the same moment, and in one second the same labels
        ours = "+".join(sorted(set(pull.labels) & set(LABELS)))
        workflow_id, arguments = f"curate:{head}:{pull.updated_at.isoformat()}:{ours}", (*arguments, pull.number)
    enqueue_in_transaction(
        session,
        missing.work,
        workflow_id,
        *arguments,
        queue=Queue.GITHUB,
        partition=row.installation_id,
        priority=SWEEP_PRIORITY,
    )
