"""The durable backfill: a repository's merged pull requests, newest first, through the harvest that a merge starts.

A page is one workflow: it lists a few pull requests and enqueues, in one transaction, the harvest of each and the next
page. So the place where a killed backfill goes on is the queue itself, no journal entry holds more than a page, and the
harvests carry the ids that webhooks give them: whoever comes first, each head is harvested once. All of it stands in
the installation's own queue, one at a time, behind whatever webhooks and people ask for.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import Session

from app.domain.errors import UserError
from app.github.listed import RateLimit
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import load_installation
from app.store.erasures import lift_removal
from app.store.repositories import (
    begin_backfill,
    count_harvested,
    ensure_repository,
    load_repository,
    save_listed,
    select_backfills,
    select_harvested_heads,
)
from app.store.tables import RepositoryRow
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, progress, step, transaction, workflow
from app.workflows.history import enqueue_history
from app.workflows.onboarding import enqueue_onboarding
from app.workflows.runs import Queue

#: Pull requests on a page. Small: what GitHub's limit leaves is looked at between two pages.
PAGE = 25
#: Requests a harvest may need, curation included; most need one or two.
REQUESTS_PER_PULL = 12
#: Share of the hourly limit that the backfill leaves to reviews and webhooks.
RESERVE = 0.1
#: Nothing is 0, so webhooks go first; a page's harvests by age, newest first; then the next page.
_FIRST_HARVEST = 10
_NEXT_PAGE = 1_000


def backfill_id(installation_id: int, run: str) -> str:
    return f"backfill:{installation_id}:{run}"


def enqueue_backfill(session: Session, installation_id: int, run: str, *, scope: str = "all") -> str:
    """Start a backfill with the session's transaction and return its workflow's id.

    `scope` is `all`, or `new` for the repositories that were never backfilled.
    """
    workflow_id = backfill_id(installation_id, run)
    enqueue_in_transaction(
        session,
        "backfill",
        workflow_id,
        installation_id,
        run,
        scope,
        queue=Queue.GITHUB,
        partition=installation_id,
        priority=1,
    )
    return workflow_id


def start_backfill(installation_id: int) -> str:
    """For the operator: look again for every merged pull request that was never harvested. Blocking.

    Raises:
        UserError: for an installation that is not active.
    """
    with writing(services().database) as session:
        row = load_installation(session, installation_id)
        if row is None or row.state != "active":
            found = "an unknown one" if row is None else f"one that is {row.state}"
            raise UserError(f"expected an active installation, got {found}: {installation_id}; install the App there")
        return enqueue_backfill(session, installation_id, utc_now().strftime("%Y%m%dT%H%M%S%f"))


@workflow("backfill")
async def backfill(installation_id: int, run: str, scope: str) -> int:
    """Begin at every repository of the installation; returns how many were begun."""
    begun, page, more = 0, 1, True
    while more:
        found = await list_repositories(installation_id, page)
        begun += await _begin(installation_id, run, scope, found["repositories"])
        more, page = found["more"], page + 1
        await progress(stage="repositories", begun=begun)
    return begun


@step()
async def list_repositories(installation_id: int, page: int) -> dict[str, Any]:
    """`repositories` as [id, full name], 100 at most, and whether there are `more`."""
    found, more = await services().github(installation_id).fetch_repositories(page)
    return {"repositories": [[item.id, item.full_name] for item in found], "more": more}


@transaction
def _begin(session: Session, installation_id: int, run: str, scope: str, repositories: list[tuple[int, str]]) -> int:
    begun = 0
    for repository_id, full_name in repositories:
        ensure_repository(session, installation_id, repository_id, full_name)
        lift_removal(session, installation_id, full_name)
        row = load_repository(session, installation_id, repository_id)
        if scope == "new" and row is not None and row.backfill is not None:
            continue
        if begin_backfill(session, installation_id, repository_id, run):
            _enqueue_page(session, _Place(installation_id, repository_id, run, 1, ""))
            begun += 1
    return begun


class _Place(NamedTuple):
    """Where a run stands in a repository: the number of the page, and GitHub's cursor before it, "" at the first."""

    installation_id: int
    repository_id: int
    run: str
    page: int
    cursor: str


def _enqueue_page(session: Session, place: _Place, *, delay_seconds: float = 0) -> None:
    workflow_id = f"backfill_page:{place.installation_id}:{place.repository_id}:{place.run}:{place.page}"
    enqueue_in_transaction(
        session,
        "backfill_page",
        f"{workflow_id}:{uuid.uuid4().hex[:8]}" if delay_seconds else workflow_id,
        *place,
        queue=Queue.GITHUB,
        partition=place.installation_id,
        priority=_NEXT_PAGE,
        delay_seconds=delay_seconds,
    )


@workflow("backfill_page")
async def backfill_page(installation_id: int, repository_id: int, run: str, page: int, cursor: str) -> dict[str, Any]:
    """One page. Returns what it enqueued, or `paused`, in seconds, when the hour's requests are nearly used up."""
    place = _Place(installation_id, repository_id, run, page, cursor)
    if not await _is_current(place):
        return {"ended": True}
    pause = await find_pause(installation_id)
    if pause > 0:
        await progress(stage="waiting for GitHub's limit", seconds=round(pause))
        await _postpone(place, pause)
        return {"paused": pause}
    listed = await list_merged(installation_id, repository_id, cursor)
    enqueued = await _enqueue_harvests(place, listed)
    await progress(**await asyncio.to_thread(_read_progress, installation_id, repository_id))
    return {"listed": len(listed["pulls"]), "enqueued": enqueued}


@transaction
def _is_current(session: Session, place: _Place) -> bool:
    """Not when the App was removed or suspended since, or another run took over."""
    installation = load_installation(session, place.installation_id)
    repository = load_repository(session, place.installation_id, place.repository_id)
    active = installation is not None and installation.state == "active"
    return active and repository is not None and repository.backfill == place.run


@step()
async def find_pause(installation_id: int) -> float:
    """Seconds until there are enough requests for a page."""
    limits = await services().github(installation_id).fetch_rate_limits()
    return decide_pause(limits, PAGE * REQUESTS_PER_PULL, datetime.now(UTC))


def decide_pause(limits: Sequence[RateLimit], needed: int, now: datetime) -> float:
    """Seconds until every budget that cannot give `needed` requests beside its reserve begins anew. Pure.

    A budget smaller than that altogether is waited for only while it is used at all.
    """
    low = [
        limit.resets_at
        for limit in limits
        if limit.remaining < min(limit.limit, needed + limit.limit * RESERVE) and limit.resets_at > now
    ]
    return max(((reset - now).total_seconds() + 1 for reset in low), default=0.0)


@transaction
def _postpone(session: Session, place: _Place, pause_seconds: float) -> None:
    _enqueue_page(session, place, delay_seconds=pause_seconds)


@step()
async def list_merged(installation_id: int, repository_id: int, cursor: str) -> dict[str, Any]:
    """`pulls` as [number, head sha], newest first; `cursor` of the next page, empty after the last; `total`."""
    with reading(services().database) as session:
        row = load_repository(session, installation_id, repository_id)
    if row is None:
        return {"pulls": [], "cursor": "", "total": 0}
    github = services().github(installation_id)
    found = await github.fetch_merged(row.full_name, size=PAGE, cursor=cursor or None)
    pulls = [[pull.number, pull.head_sha] for pull in found.pulls]
    return {"pulls": pulls, "cursor": found.cursor or "", "total": found.total}


@transaction
def _enqueue_harvests(session: Session, place: _Place, listed: dict[str, Any]) -> int:
    """The harvests of this page and the next page, with the page's count: all of it or none."""
    of = place.installation_id, place.repository_id
    row = load_repository(session, *of)
    if row is None:
        return 0
    pulls = [(int(number), str(head)) for number, head in listed["pulls"]]
    known = select_harvested_heads(session, *of, [number for number, _ in pulls])
    fresh = [(number, head) for number, head in pulls if known.get(number) != head]
    for rank, (number, head_sha) in enumerate(fresh):
        enqueue_harvest(session, row, number, head_sha, priority=_FIRST_HARVEST + rank)
    following, total = str(listed["cursor"]), int(listed["total"])
    save_listed(session, *of, total=total, pulls=len(pulls), is_last=not following)
    if following:
        _enqueue_page(session, place._replace(page=place.page + 1, cursor=following))
    else:
        enqueue_history(session, row, place.run)
        enqueue_onboarding(session, row, place.run, propose=True)
    return len(fresh)


def enqueue_harvest(session: Session, row: RepositoryRow, number: int, head_sha: str, *, priority: int) -> None:
    """Under the id that the webhook of the merge would have given it."""
    enqueue_in_transaction(
        session,
        "harvest",
        f"harvest:{services().host_of(row.installation_id).name}:{row.repository_id}:{number}:{head_sha}",
        row.installation_id,
        row.full_name,
        number,
        queue=Queue.GITHUB,
        partition=row.installation_id,
        priority=priority,
    )


# How far it is


def _read_progress(installation_id: int, repository_id: int) -> dict[str, Any]:
    with reading(services().database) as session:
        row = load_repository(session, installation_id, repository_id)
        done = count_harvested(session, installation_id, repository_id)
    return {} if row is None else describe_backfill(row, done, utc_now())


def read_backfills() -> list[dict[str, Any]]:
    """Every repository's backfill for the operator: harvested of merged, and about how many seconds are left."""
    with reading(services().database) as session:
        found = select_backfills(session)
    return [
        {"installation": row.installation_id, "repository": row.full_name} | describe_backfill(row, done, utc_now())
        for row, done in found
    ]


def describe_backfill(row: RepositoryRow, done: int, now: datetime) -> dict[str, Any]:
    """Pure. Pull requests GitHub refuses to show are never done, so `done` may end below `total`."""
    elapsed = now - (row.backfill_began_at or now)
    left = estimate_left(done - row.done_before, row.total - done, elapsed)
    seconds_left = None if left is None else round(left.total_seconds())
    return {
        "stage": "listing" if row.backfill_listed_at is None else "listed",
        "done": done,
        "total": row.total,
        "listed": row.listed,
        "seconds_left": seconds_left,
    }


def estimate_left(done: int, left: int, elapsed: timedelta) -> timedelta | None:
    """At the pace so far; None before the first one is done. Pure."""
    if left <= 0:
        return timedelta(0)
    return None if done <= 0 else elapsed / done * left
