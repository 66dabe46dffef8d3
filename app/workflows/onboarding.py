"""The durable onboarding of a repository: look how things are on GitHub, then do the one thing that is to be done.

It may run at any time and again at any point: the pull request is found by its branch and mark before one is made, what
it says when it is closed by a mark of its own. Whatever starts it is a hint: the end of a backfill, a webhook about the
pull request or the default branch, the hourly sweep.
"""

import asyncio
import logging

from sqlmodel import Session

from app.domain.app_permissions import may_propose
from app.domain.errors import Refused
from app.domain.onboarding import (
    BRANCH,
    DECLINED_MARKER,
    MARKER,
    POLICY_TEXT,
    Onboarding,
    Proposal,
    Seen,
    decide_step,
)
from app.domain.onboarding_text import COMMIT_MESSAGE, TITLE, Rehearsed, render_declined, render_proposal
from app.domain.policies import POLICY_PATH
from app.store.database import reading, writing
from app.store.learning import count_evidence, count_rejections
from app.store.repositories import count_harvested, load_repository, save_place
from app.store.tables import RepositoryRow
from app.workflows.consent import find_place
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, step, workflow
from app.workflows.runs import Queue
from app.workflows.sweep_starts import enqueue_sweep

_log = logging.getLogger(__name__)
#: After every harvest of a backfill: the report counts them.
PROPOSING_PRIORITY = 1_001


def enqueue_onboarding(session: Session, row: RepositoryRow, once_per: str, *, propose: bool) -> None:
    """With the session's transaction. `propose`: the history was read, so that the pull request may be opened."""
    enqueue_in_transaction(
        session,
        "onboard",
        f"onboard:{row.installation_id}:{row.repository_id}:{once_per}",
        row.installation_id,
        row.repository_id,
        int(propose),
        queue=Queue.GITHUB,
        partition=row.installation_id,
        priority=PROPOSING_PRIORITY if propose else 0,
    )


@workflow("onboard")
async def onboard(installation_id: int, repository_id: int, propose: int) -> str:
    """Returns the repository's place, or `gone`."""
    return await take_step(installation_id, repository_id, propose)


@step()
async def take_step(installation_id: int, repository_id: int, propose: int) -> str:
    """Look, act, remember, in this order: whatever is cut off is found done by the next look."""
    row = await asyncio.to_thread(_load, installation_id, repository_id)
    if row is None:
        return "gone"
    place = await find_place(installation_id, row.full_name, repository_id)
    if place is Onboarding.STARTED:
        return place.value
    seen = await _look(row)
    decided = decide_step(place, seen, is_read=bool(propose))
    number = None if seen.pull is None else seen.pull.number
    if decided.propose:
        try:
            number = await _propose(row)
        except Refused as refusal:  # empty, archived, or a ruleset guards its branches: the next sweep asks again
            _log.warning("the onboarding of repository %d can't be proposed: %s", repository_id, refusal)
            return place.value
    if decided.say_declined and number is not None:
        await _say_declined(row, number)
    await asyncio.to_thread(_save, row, decided.to, number)
    return decided.to.value


async def _look(row: RepositoryRow) -> Seen:
    github = services().github(row.installation_id)
    return Seen(
        may_propose=may_propose(await github.fetch_granted()),
        has_policy=await github.fetch_text(row.full_name, "HEAD", POLICY_PATH) is not None,
        pull=await _find(row),
    )


async def _find(row: RepositoryRow) -> Proposal | None:
    github = services().github(row.installation_id)
    return await github.find_proposal(
        row.full_name, BRANCH, login=services().host_of(row.installation_id).login, marker=MARKER
    )


async def _propose(row: RepositoryRow) -> int:
    github, name = services().github(row.installation_id), row.full_name
    base = await github.ensure_branch(name, BRANCH)
    if await github.fetch_text(name, BRANCH, POLICY_PATH) is None:
        await github.create_file(name, BRANCH, POLICY_PATH, POLICY_TEXT, message=COMMIT_MESSAGE)
    body = render_proposal(await asyncio.to_thread(_rehearse, row))
    try:
        return await github.create_pull(name, head=BRANCH, base=base, title=TITLE, body=body)
    except Refused:
        found = await _find(row)  # made by a run that was cut off, and not listed to us then
        if found is None:
            raise
        return found.number


async def _say_declined(row: RepositoryRow, number: int) -> None:
    github = services().github(row.installation_id)
    installed_at = await github.fetch_installed_at()
    said = await github.list_issue_comments(row.full_name, number, since=installed_at)
    if not any(DECLINED_MARKER in one.body for one in said):
        await github.create_issue_comment(row.full_name, number, render_declined())


def _load(installation_id: int, repository_id: int) -> RepositoryRow | None:
    with reading(services().database) as session:
        return load_repository(session, installation_id, repository_id)


def _rehearse(row: RepositoryRow) -> Rehearsed:
    with reading(services().database) as session:
        return Rehearsed(
            pulls=count_harvested(session, row.installation_id, row.repository_id),
            examples=count_evidence(session, row.installation_id, row.full_name),
            rejections=count_rejections(session, row.installation_id, row.full_name),
        )


def _save(row: RepositoryRow, place: Onboarding, number: int | None) -> None:
    """Whoever begins is swept at once: pull requests that were opened meanwhile get their review."""
    with writing(services().database) as session:
        save_place(session, row.installation_id, row.repository_id, place, number)
        if place is Onboarding.STARTED:
            enqueue_sweep(session, row.installation_id, f"onboarded-{row.repository_id}")
