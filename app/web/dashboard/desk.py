"""Every request to the dashboard goes through here: who asks, what they see, whether the form is ours, and how it ends.

A route only says what it needs; none can forget a check.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.domain.base import content_hash
from app.domain.errors import Refused, RetryLater, UserError
from app.review.rates import AdapterRates
from app.store.database import reading, writing
from app.store.learning import append_audit
from app.store.sessions import load_session
from app.web.dashboard import guarding
from app.web.dashboard.access import OPERATOR, Access, Sight, Viewer, load_ground
from app.web.dashboard.backstage import Backstage, Place
from app.web.dashboard.rendering import render

PREFIX = "/dashboard"
SIGN_IN_PAGE = f"{PREFIX}/sign-in"
_LONGEST_FORM = 16_384
#: Of a tenant's id, which stays below 2**53.
_DIGITS = 16
Found = TypeVar("Found")
#: What a route asks of who calls it. `reader` and `admin` are of the installation that its path names.
Needs = Literal["nobody", "form", "session", "reader", "admin"]


class Ended(Exception):
    """The request ends here, with this status and these words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class SignInNeeded(Exception):
    pass


NOT_FOUND = "There is no such page, or none that you may see."


@dataclass(frozen=True)
class Route:
    """`path` below the prefix, in Starlette's form. A POST is a form of ours, with the session's token in it."""

    method: Literal["GET", "POST"]
    path: str
    handle: "Callable[[Visit], Awaitable[Response]]"
    needs: Needs = "reader"


@dataclass
class Visit:
    """One request by somebody who may make it."""

    desk: "Desk"
    request: Request
    viewer_or_none: Viewer | None = None
    sight_or_none: Sight | None = None
    form: dict[str, str] = field(default_factory=dict)

    @property
    def viewer(self) -> Viewer:
        if self.viewer_or_none is None:
            raise SignInNeeded
        return self.viewer_or_none

    @property
    def sight(self) -> Sight:
        if self.sight_or_none is None:
            raise Ended(404, NOT_FOUND)
        return self.sight_or_none

    @property
    def backstage(self) -> Backstage:
        return self.desk.backstage

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    async def read(self, look: Callable[[Session], Found]) -> Found:
        return await asyncio.to_thread(self.desk.read, look)

    async def call(self, act: Callable[..., Found], *arguments: object) -> Found:
        return await asyncio.to_thread(act, *arguments)

    async def rates(self) -> tuple[AdapterRates, ...]:
        """Of all adapters, within what the viewer sees. At most a minute old: they are of thousands of rows, and change
        by the hour."""
        sight, memory = self.sight, self.desk.memory
        key = f"rates:{sight.id}:{sorted(sight.repositories or ('*',))}"
        kept = memory.find(key)
        if kept is None:
            kept = await self.read(lambda session: self.backstage.rates(session, sight.id, sight.repositories))
            memory.keep(key, kept)
        return kept

    async def note(self, action: str, subject: str, **detail: object) -> None:
        """An audit row of what somebody did here; each act is a row of its own."""
        within = None if self.sight_or_none is None else self.sight_or_none.id
        await asyncio.to_thread(self.desk.note, within, self.viewer.login, action, subject, detail)

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        shown = {"viewer": self.viewer_or_none, "sight": self.sight_or_none, "github": self.desk.place.github}
        return HTMLResponse(render(template, **(shown | context)), status)

    def back(self, path: str) -> Response:
        """After an act: to a page below this installation's."""
        return RedirectResponse(f"{PREFIX}/{self.sight.id}{path}", 303)


class Desk:
    def __init__(self, backstage: Backstage, place: Place) -> None:
        self.backstage = backstage
        self.place = place
        self.access = Access(backstage.permission)
        self.limiter = guarding.Limiter(per_minute=5)
        self.memory: guarding.Memory[tuple[AdapterRates, ...]] = guarding.Memory(seconds=60.0)

    def router(self, routes: tuple[Route, ...]) -> APIRouter:
        router = APIRouter()
        for route in routes:
            router.add_route(f"{PREFIX}{route.path}", partial(self._answer, route), methods=[route.method])
        return router

    def read(self, look: Callable[[Session], Found]) -> Found:
        with reading(self.backstage.database()) as session:
            return look(session)

    def write(self, act: Callable[[Session], Found]) -> Found:
        with writing(self.backstage.database()) as session:
            return act(session)

    def note(self, within: int | None, actor: str, action: str, subject: str, detail: dict[str, object]) -> None:
        """An audit row, `within` an installation or of none."""
        key = content_hash("da1", [action, subject, guarding.new_secret()])
        self.write(
            lambda session: append_audit(
                session,
                installation_id=within,
                actor=actor,
                action=action,
                subject=subject,
                idempotency_key=key,
                detail=detail,
            )
        )

    def cookie(self, name: str) -> str:
        return guarding.cookie_name(name, secure=self.place.is_secure)

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """With 0 seconds the browser forgets it."""
        response.set_cookie(
            self.cookie(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.place.is_secure,
            httponly=True,
            samesite="lax",
        )

    async def _answer(self, route: Route, request: Request) -> Response:
        visit = Visit(self, request)
        try:
            response = await self._admitted(route, visit)
        except SignInNeeded:
            response = RedirectResponse(SIGN_IN_PAGE, 303)
        except Ended as ended:
            response = _error_page(visit, ended.status, ended.words)
        except (UserError, Refused) as error:
            response = _error_page(visit, 409, str(error))
        except RetryLater:
            words = "GitHub does not answer now, so nobody knows what you may see or do. Try again in a minute."
            response = _error_page(visit, 503, words)
        for name, value in guarding.HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    async def _admitted(self, route: Route, visit: Visit) -> Response:
        if route.needs not in ("nobody", "form"):
            visit.viewer_or_none = await asyncio.to_thread(self.recognise, visit.request)
            if visit.viewer_or_none is None:
                raise SignInNeeded
        if route.method == "POST":
            visit.form = await _read_form(visit.request)
            self._check_form(route, visit)
        if route.needs in ("reader", "admin"):
            visit.sight_or_none = await self._look(visit, fresh=False)
            if route.needs == "admin" and visit.sight.is_admin:  # who was none a moment ago costs GitHub no question
                visit.sight_or_none = await self._look(visit, fresh=True)
            if route.needs == "admin" and not visit.sight.is_admin:
                words = "This takes the permission admin on every repository of the installation."
                await visit.note("dashboard.refused", f"{visit.sight.id}", path=route.path)
                raise Ended(403, words)
        return await route.handle(visit)

    def recognise(self, request: Request) -> Viewer | None:
        """Whose session the request's cookie names; None when it names none that lasts."""
        secret = request.cookies.get(self.cookie(guarding.SESSION), "")
        if not secret:
            return None
        keys = (guarding.hash_secret(secret), guarding.operator_key(secret, self.place.operator_token))
        row = self.read(lambda session: load_session(session, keys[0]) or load_session(session, keys[1]))
        if row is None:
            return None
        return Viewer(
            key=row.key,
            csrf=guarding.derive_csrf(secret),
            login=OPERATOR if row.is_operator else row.login,
            user_id=row.user_id,
            is_operator=row.is_operator,
            installations=frozenset(row.installations),
        )

    def _check_form(self, route: Route, visit: Visit) -> None:
        if not guarding.is_own_form(visit.request.headers, self.place.public_url):
            raise Ended(403, "This form was not sent from a page of Understudy.")
        if route.needs == "form":
            return
        if not guarding.is_equal(visit.form.get("csrf", ""), visit.viewer.csrf):
            raise Ended(403, "This form is of another session. Load the page again and send it anew.")

    async def _look(self, visit: Visit, *, fresh: bool) -> Sight:
        given = visit.path("installation_id")
        if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS):
            raise Ended(404, NOT_FOUND)
        installation_id = int(given)
        installation, names = await visit.read(lambda session: load_ground(session, installation_id))
        sight = await self.access.look(visit.viewer, installation, names, fresh=fresh)
        if sight is None:
            raise Ended(404, NOT_FOUND)
        return sight


async def _read_form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise Ended(413, f"A form here has at most {_LONGEST_FORM} bytes.")
    return dict(parse_qsl(body.decode("utf-8", "replace").replace("\0", ""), keep_blank_values=True))


def _error_page(visit: Visit, status: int, words: str) -> Response:
    return visit.page("error.html", status=status, words=words, code=status)
