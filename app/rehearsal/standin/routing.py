"""From a request to an answer: who asks, what for, whether they may, what it costs, and how the answer is cut."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from app.rehearsal.standin.answers import Answer, Listing, Refusal, not_found
from app.rehearsal.standin.auth import allows, reaches
from app.rehearsal.standin.limits import LimitReachedError, secondary_limit
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import Exchange, Grant, PullRequest, Repository, RequestRecord, User

_PAGE_SIZE = 30
_PAGE_LIMIT = 100
_BAD_GATEWAY = Answer(502, {"message": "Server Error"})
Body = TypeVar("Body", bound=BaseModel)


@dataclass
class Call:
    """One request to one route. `grant` is None where the App itself or a `person` asks."""

    site: Site
    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes
    grant: Grant | None = None
    person: User | None = None
    pull_number: int | None = None

    @property
    def repository(self) -> Repository:
        """The repository of the path, where this token reaches it.

        Raises:
            Refusal: 404 otherwise, whether it exists or not.
        """
        found = self.site.repositories.get(f"{self.path['owner']}/{self.path['repo']}")
        if found is None or self.grant is None or not reaches(self.grant, found):
            raise not_found()
        return found

    @property
    def pull(self) -> PullRequest:
        name = "pull_number" if "pull_number" in self.path else "issue_number"
        found = self.repository.pulls.get(self.number(name))
        if found is None:
            raise not_found()
        return found

    def number(self, name: str) -> int:
        if not self.path[name].isdigit():
            raise not_found()
        return int(self.path[name])

    def parse(self, kind: type[Body]) -> Body:
        """The body as a model.

        Raises:
            Refusal: 400 for text that is no JSON, 422 for JSON of another shape.
        """
        try:
            given = json.loads(self.content or b"{}")
        except ValueError as error:
            raise Refusal(400, "Problems parsing JSON") from error
        try:
            return kind.model_validate(given)
        except ValidationError as error:
            places = [".".join(map(str, problem["loc"])) + ": " + problem["msg"] for problem in error.errors()]
            raise Refusal(422, "Invalid request.\n\n" + "; ".join(places)) from error


@dataclass(frozen=True)
class Route:
    """`template` is GitHub's own; `needs` the permission and level an installation token must hold."""

    method: str
    template: str
    handle: Callable[[Call], Answer | Listing]
    asker: Literal["app", "installation", "user", "anyone"] = "installation"
    needs: tuple[str, str] | None = None
    creates_content: bool = False
    resource: str = "core"
    free: bool = False


@dataclass(frozen=True)
class Incoming:
    method: str
    url: str
    path: str
    path_values: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Outgoing:
    status: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


def answer(site: Site, route: Route, incoming: Incoming) -> Outgoing:
    """Answer one request and write it down. The lock is held for all of it, so effects are never seen half made."""
    hook = site.faults.take("hook", route.method, route.template)
    if hook is not None and hook.hook is not None:
        hook.hook()
    with site.lock:
        call = Call(site, incoming.path_values, incoming.query, incoming.content)
        outgoing = _outgoing(site, route, incoming, call)
        number = call.pull_number or _number_in(incoming.path_values)
        record = RequestRecord(route.method, route.template, incoming.path, outgoing.status, number, site.clock())
        site.requests.append(record)
    for observe in site.observers:
        observe(Exchange(route.method, incoming.path, outgoing.status, outgoing.content))
    return outgoing


def _outgoing(site: Site, route: Route, incoming: Incoming, call: Call) -> Outgoing:
    try:
        if site.faults.take("502_before", route.method, route.template):
            return _plain(_BAD_GATEWAY)
        if site.enterprise is not None:
            site.enterprise.check_version(incoming.headers)
        _authorise(site, route, incoming, call)
        result = route.handle(call)
        if site.faults.take("502_after", route.method, route.template):
            return _plain(_BAD_GATEWAY)
    except LimitReachedError as refusal:
        return _out_of_budget(site, route, refusal)
    except Refusal as refusal:
        return _plain(Answer(refusal.status, refusal.body, _limit_headers(site, route) | refusal.headers))
    page = _cut(result, incoming) if isinstance(result, Listing) else result
    outgoing = _plain(Answer(page.status, page.body, _limit_headers(site, route) | dict(page.headers)))
    return _conditional(site, route, incoming, outgoing)


def _out_of_budget(site: Site, route: Route, refusal: LimitReachedError) -> Outgoing:
    """403 on REST; GraphQL says it in an answer of 200."""
    headers = _limit_headers(site, route)
    if route.resource != "graphql":
        return _plain(Answer(refusal.status, refusal.body, headers))
    return _plain(Answer(200, {"errors": [{"type": "RATE_LIMITED", "message": refusal.message}]}, headers))


def _plain(given: Answer) -> Outgoing:
    content = b"" if given.body is None else json.dumps(given.body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json; charset=utf-8", "x-github-media-type": "github.v3; format=json"}
    return Outgoing(given.status, content, headers | dict(given.headers))


def _authorise(site: Site, route: Route, incoming: Incoming, call: Call) -> None:
    if route.asker == "anyone":
        return
    token = _token(incoming.headers)
    if site.faults.take("expired_token", route.method, route.template):
        site.grants.revoke(token)
    if route.asker == "app":
        site.key.check(token, app_id=site.app_id, now=site.clock())
    elif route.asker == "user":
        call.person = site.people.check(token)
    else:
        _authorise_installation(site, route, call, token)
    limited = site.faults.take("secondary", route.method, route.template)
    if limited is not None:
        raise secondary_limit(limited.retry_after_seconds)
    if route.creates_content and site.enterprise is None:
        site.limits.create_content(site.clock())


def _authorise_installation(site: Site, route: Route, call: Call, token: str) -> None:
    call.grant = site.grants.check(token, site.clock())
    if site.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    if not route.free and site.enterprise is None:
        site.limits.spend(route.resource, site.clock(), site.installation_id)
    if "repo" in call.path:
        _ = call.repository  # what the token cannot see is 404 before it is 403
    if route.needs is not None and not allows(call.grant.permissions, *route.needs):
        raise Refusal(403, "Resource not accessible by integration")


def _token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if not token:
        raise Refusal(401, "Requires authentication")
    if scheme.lower() not in ("bearer", "token"):
        raise Refusal(401, "Bad credentials")
    return token.strip()


def _limit_headers(site: Site, route: Route) -> dict[str, str]:
    if site.enterprise is not None:
        return site.enterprise.answer_headers
    return {} if route.asker != "installation" else site.limits.headers(route.resource, site.clock())


def _cut(listing: Listing, incoming: Incoming) -> Answer:
    size = min(_PAGE_LIMIT, positive(incoming.query.get("per_page"), _PAGE_SIZE))
    page = positive(incoming.query.get("page"), 1)
    last = max(1, -(-len(listing.items) // size))
    items = listing.items[(page - 1) * size : page * size]
    places = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = {
        name: number
        for name, number in places.items()
        if 1 <= number <= last and number != page and not (name == "first" and page == 1)
    }
    links = [f'<{incoming.url}?{urlencode({**incoming.query, "page": n})}>; rel="{name}"' for name, n in shown.items()]
    body: Any = items if listing.key is None else {"total_count": len(listing.items), listing.key: items}
    return Answer(200, body, {"link": ", ".join(links)} if links else {})


def positive(text: str | None, otherwise: int) -> int:
    """A count from the query string; what is no count is taken as not given, as GitHub does."""
    return int(text) if text is not None and text.isdigit() and int(text) > 0 else otherwise


def _conditional(site: Site, route: Route, incoming: Incoming, outgoing: Outgoing) -> Outgoing:
    """Give reads an ETag over token and content; answer 304, free of the limit, to who has that content already."""
    if route.method != "GET" or outgoing.status != 200:
        return outgoing
    spoken = incoming.headers.get("authorization", "").encode()
    etag = f'W/"{hashlib.sha256(spoken + b"|" + outgoing.content).hexdigest()}"'
    outgoing.headers |= {
        "etag": etag,
        "cache-control": "private, max-age=60, s-maxage=60",
        "vary": "Accept, Authorization",
    }
    if etag not in incoming.headers.get("if-none-match", ""):
        return outgoing
    if route.asker == "installation" and not route.free and site.enterprise is None:
        site.limits.give_back(route.resource)
    return Outgoing(304, b"", outgoing.headers | _limit_headers(site, route))


def _number_in(path: Mapping[str, str]) -> int | None:
    text = path.get("pull_number") or path.get("issue_number") or ""
    return int(text) if text.isdigit() else None
