"""The check run of a head commit: what was read, what was not, and why. Each step may run again; it updates its own."""

from typing import Any

from app.review.coverage import Coverage
from app.review.messages import (
    CHECK_NAME,
    CheckText,
    FailureKind,
    render_check,
    render_failure,
    render_paused,
    render_shadow,
)
from app.store.database import reading
from app.store.steering import Place, load_pause
from app.store.tables import ReviewRow
from app.workflows.context import services
from app.workflows.engine import step
from app.workflows.review_rows import load_drafted, load_row

#: A minute or so: where GitHub was away for half an hour, the installation's other work need not wait for another.
_TELLING_ATTEMPTS = 6


@step()
async def publish_check(
    installation_id: int, review_id: str, text: dict[str, Any] | None, shadow: bool = False, only_anew: bool = False
) -> int:
    """The check run of the head commit; without a text, the account of what the drafted review covered.

    With `only_anew` one that stands is brought up to date and none is made; the id is 0 then, as where there is none.
    """
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
    if only_anew and not await _has_check(installation_id, row):
        return 0
    if text is not None:
        return await _ensure_check(installation_id, row, CheckText.model_validate(text))
    about = (Coverage.model_validate(row.coverage), load_drafted(review_id), row.adapter or "")
    check = render_shadow(*about, _kept_address(installation_id)) if shadow else render_check(*about)
    return await _ensure_check(installation_id, row, check)


def _kept_address(installation_id: int) -> str | None:
    """Of the page that shows what shadow mode kept, to those who may sign in."""
    public_url = services().public_url
    return None if public_url is None else f"{public_url.rstrip('/')}/dashboard/{installation_id}/kept"


@step()
async def publish_pause(installation_id: int, review_id: str) -> int:
    """Who paused the pull request is read here, and stays out of the journal."""
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
        pause = load_pause(session, Place(installation_id, row.repository, row.pull_request))
    if pause is None:  # resumed meanwhile, which asks for a review of its own
        return 0
    return await _ensure_check(installation_id, row, render_paused(pause.actor, pause.actor_role))


@step(attempts=_TELLING_ATTEMPTS)
async def publish_failure(installation_id: int, review_id: str, kind: FailureKind, submitting: bool) -> int:
    """The check run of a head commit whose review failed. The error itself is in the log only."""
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
    maybe_posted = submitting or row.github_review_id is not None
    return await _ensure_check(installation_id, row, render_failure(kind, maybe_posted=maybe_posted))


async def _has_check(installation_id: int, row: ReviewRow) -> bool:
    github = services().github(installation_id)
    found = await github.find_check_run(row.repository, row.head_sha, external_id=row.id, name=CHECK_NAME)
    return found is not None


async def _ensure_check(installation_id: int, row: ReviewRow, check: CheckText) -> int:
    return (
        await services()
        .github(installation_id)
        .ensure_check_run(
            row.repository,
            row.head_sha,
            external_id=row.id,
            conclusion=check.conclusion,
            title=check.title,
            summary=check.summary,
            name=CHECK_NAME,
        )
    )
