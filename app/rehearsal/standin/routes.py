"""All routes in one table, and the permissions that a run of requests really needed."""

from collections.abc import Iterable

from app.rehearsal.standin import (
    graph,
    registration,
    routes_app,
    routes_checks,
    routes_comments,
    routes_contents,
    routes_pulls,
    routes_reviews,
    routes_user,
)
from app.rehearsal.standin.auth import EVENT_NEEDS, allows
from app.rehearsal.standin.routing import Route
from app.rehearsal.standin.smart_http import ROUTE as GIT
from app.rehearsal.standin.state import RequestRecord

ROUTES: tuple[Route, ...] = (
    *routes_app.ROUTES,
    *routes_user.ROUTES,
    *registration.ROUTES,
    *routes_comments.ROUTES,  # before those of one pull request: `pulls/comments` names none
    *routes_pulls.ROUTES,
    *routes_reviews.ROUTES,
    *routes_checks.ROUTES,
    *routes_contents.ROUTES,
    *graph.ROUTES,
)


def needed_permissions(records: Iterable[RequestRecord]) -> dict[str, str]:
    """The least permissions under which every one of these requests is allowed; metadata is always granted."""
    by_route = {(route.method, route.template): route.needs for route in ROUTES}
    needed = {"metadata": "read"}
    for record in records:
        needs = ("contents", "read") if record.route == GIT else by_route.get((record.method, record.route))
        if needs is not None and not allows(needed, *needs):
            needed[needs[0]] = needs[1]
    return needed


def needed_for_events(events: Iterable[str]) -> dict[str, str]:
    """The least permissions under which GitHub tells the App of these events."""
    return {"metadata": "read"} | {name: "read" for event in events if (name := EVENT_NEEDS.get(event)) is not None}
