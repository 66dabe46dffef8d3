"""All routes of the dashboard in one table, and the files that its pages load."""

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from app.web.dashboard import adapters, dataset, lineage, overview, owners, signing, training, work
from app.web.dashboard.backstage import Backstage, Place
from app.web.dashboard.desk import NOT_FOUND, Desk, Ended, Route, Visit
from app.web.dashboard.rendering import HERE

_FILES = {"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8"}


async def _file(visit: Visit) -> Response:
    name = visit.path("name")
    if name not in _FILES:
        raise Ended(404, NOT_FOUND)
    return FileResponse(HERE / "static" / name, media_type=_FILES[name], headers={"cache-control": "max-age=300"})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/static/{name}", _file, needs="nobody"),
    *signing.ROUTES,
    *overview.ROUTES,
    *dataset.ROUTES,
    *training.ROUTES,
    *adapters.ROUTES,
    *lineage.ROUTES,
    *work.ROUTES,
    *owners.ROUTES,
)


def dashboard_router(backstage: Backstage, place: Place) -> APIRouter:
    """Everything under /dashboard."""
    return Desk(backstage, place).router(ROUTES)
