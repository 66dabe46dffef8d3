"""What waits, what was delivered and what failed; for admins also why, and a retry."""

from sqlmodel import Session
from starlette.responses import Response

from app.store.deliveries import count_outcomes
from app.store.overviews import Delivered, select_deliveries
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit

_DELIVERIES = 20


async def show_work(visit: Visit) -> Response:
    """A failure's words may hold what stands in any repository, so they are for those who may see all of them."""
    sight = visit.sight

    def look(session: Session) -> tuple[dict[str, int], list[Delivered]]:
        newest = select_deliveries(session, sight.id, limit=_DELIVERIES) if sight.is_admin else []
        return count_outcomes(session, sight.id), newest

    outcomes, newest = await visit.read(look)
    waiting = await visit.call(visit.backstage.waiting, sight.id)
    failures = await visit.call(visit.backstage.failures, sight.id) if sight.is_admin else []
    return visit.page("work.html", outcomes=outcomes, newest=newest, waiting=waiting, failures=failures)


async def retry(visit: Visit) -> Response:
    """Only what is this installation's own and failed."""
    wanted = visit.form.get("workflow", "")
    failures = await visit.call(visit.backstage.failures, visit.sight.id)
    if wanted not in {failure["id"] for failure in failures}:
        raise Ended(404, NOT_FOUND)
    await visit.call(visit.backstage.retry, wanted)
    await visit.note("dashboard.retry", "workflow", installation_id=visit.sight.id)
    return visit.back("/work")


ROUTES = (
    Route("GET", "/{installation_id}/work", show_work),
    Route("POST", "/{installation_id}/retry", retry, needs="admin"),
)
