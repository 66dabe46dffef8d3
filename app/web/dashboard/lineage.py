"""What was said, and where it comes from: comment, adapter, snapshot, Examples, pull requests."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.responses import Response

from app.dataset.tracing import trace_finding
from app.store.overviews import load_finding, select_comments
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit

_SIZE = 50
#: Pull requests that a page names; the rest is a number.
_PULLS = 40


async def list_comments(visit: Visit) -> Response:
    before = read_moment(visit.query.get("before", ""))

    def look(session: Session) -> list[Any]:
        return list(select_comments(session, visit.sight.id, visit.sight.repositories, limit=_SIZE + 1, before=before))

    rows = await visit.read(look)
    shown, more = rows[:_SIZE], rows[_SIZE:]
    following = urlencode({"before": shown[-1].created_at.isoformat()}) if more else None
    return visit.page("comments.html", rows=shown, following=following, is_first=before is None)


def read_moment(text: str) -> datetime | None:
    """None for no moment, and for a text that is none: addresses are typed by anybody."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


async def show_lineage(visit: Visit) -> Response:
    """Of pull requests and Examples only those are named whose repository the viewer sees."""
    fingerprint = visit.path("fingerprint")

    def look(session: Session) -> tuple[Any, dict[str, Any]]:
        found = load_finding(session, visit.sight.id, fingerprint)
        if found is None or not visit.sight.shows(found[1].repository):
            raise Ended(404, NOT_FOUND)
        return found, trace_finding(session, *found)

    (finding, review), traced = await visit.read(look)
    adapter = traced["adapter"]
    pulls = [pull for pull in adapter.get("pull_requests", ()) if visit.sight.shows(pull.rpartition("#")[0])]
    nearest = [one for one in adapter.get("nearest", ()) if visit.sight.shows(one["pull_request"].rpartition("#")[0])]
    return visit.page(
        "lineage.html",
        finding=finding,
        review=review,
        adapter=adapter,
        pulls=pulls[:_PULLS],
        more_pulls=max(0, len(pulls) - _PULLS),
        nearest=nearest,
    )


ROUTES = (
    Route("GET", "/{installation_id}/comments", list_comments),
    Route("GET", "/{installation_id}/comments/{fingerprint}", show_lineage),
)
