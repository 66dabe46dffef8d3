"""What was said, and where it comes from: comment, adapter, snapshot, Examples, pull requests."""

from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.responses import Response

from app.dataset.tracing import trace_finding
from app.store.overviews import Repositories, WrittenComment, load_finding, select_comments, select_kept
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit

_SIZE = 50
#: Pull requests that a page names; the rest is a number.
_PULLS = 40


async def list_comments(visit: Visit) -> Response:
    return await _list(visit, select_comments, "comments.html")


async def list_kept(visit: Visit) -> Response:
    """What shadow mode kept: who decides whether it may speak reads it here."""
    return await _list(visit, select_kept, "kept.html")


class _Select(Protocol):
    def __call__(
        self,
        session: Session,
        installation_id: int,
        repositories: Repositories,
        /,
        *,
        limit: int,
        before: datetime | None,
    ) -> list[WrittenComment]: ...


async def _list(visit: Visit, select: _Select, template: str) -> Response:
    before, sight = read_moment(visit.query.get("before", "")), visit.sight

    def look(session: Session) -> list[WrittenComment]:
        return select(session, sight.id, sight.repositories, limit=_SIZE + 1, before=before)

    rows = await visit.read(look)
    shown = select_whole(rows, _SIZE)
    following = urlencode({"before": shown[-1].created_at.isoformat()}) if len(shown) < len(rows) else None
    return visit.page(template, rows=shown, following=following, is_first=before is None)


def select_whole(rows: list[WrittenComment], size: int) -> list[WrittenComment]:
    """At most `size`, and no review of which the next page would lack a part: it goes on before the last one's moment.

    A review has fewer comments than a page; of moments that fill a page and more, what fits is shown.
    """
    if len(rows) <= size:
        return rows
    whole = [row for row in rows[:size] if row.created_at != rows[size].created_at]
    return whole or rows[:size]


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
    Route("GET", "/{installation_id}/kept", list_kept),
    Route("GET", "/{installation_id}/comments/{fingerprint}", show_lineage),
)
