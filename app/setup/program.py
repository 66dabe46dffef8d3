"""The setup page as a program on loopback: three pages, no JavaScript, gone when its work is done."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.domain.errors import Refused, UserError
from app.setup.choice import parse_choice
from app.setup.manifest import render_manifest
from app.setup.pages import EMPTY, render_done, render_form, render_problem, render_review
from app.setup.remaining import render_steps
from app.setup.session import Session

_LARGEST_FORM = 16_384
_CREATED = "/created"
#: So long the last page may be asked for again.
_LAST_WORDS_SECONDS = 1.0


def create_setup_app(session: Session, *, address: str, on_done: Callable[[], None]) -> FastAPI:
    """`address` is how a browser reaches it, as http://127.0.0.1:PORT. `on_done` is called once all is written and
    said."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages = _Pages(session, address, on_done)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # A name of the web that was made to lead here is not how this page is reached.
        if request.headers.get("host") != address.removeprefix("http://"):
            return PlainTextResponse(f"expected to be reached at {address}", 421)
        answer = await call_next(request)
        answer.headers.update({"cache-control": "no-store", "referrer-policy": "no-referrer"})
        answer.headers["x-content-type-options"] = "nosniff"
        return answer

    app.add_api_route(f"{pages.root}/", pages.begin, methods=["GET"], response_model=None)
    app.add_api_route(f"{pages.root}/", pages.choose, methods=["POST"], response_model=None)
    app.add_api_route(f"{pages.root}/store", pages.store, methods=["POST"], response_model=None)
    app.add_api_route(f"{pages.root}/done", pages.done, methods=["GET"], response_model=None)
    app.add_api_route(_CREATED, pages.created, methods=["GET"], response_model=None)
    return app


class _Pages:
    """One method per page. `root` is the path that holds the secret."""

    def __init__(self, session: Session, address: str, on_done: Callable[[], None]) -> None:
        self.root = f"/{session.secret}"
        self._session = session
        self._address = address
        self._on_done = on_done

    async def begin(self) -> Response:
        return _page(render_form(self.root, EMPTY, env_file=self._session.env_file))

    async def choose(self, request: Request) -> Response:
        form: dict[str, str] = {}
        try:
            form = await _read_form(request)
            choice = parse_choice(form)
            state = self._session.choose(choice)
        except (UserError, Refused) as error:
            page = render_form(self.root, form, env_file=self._session.env_file, problem=str(error))
            return _page(page, status=422)
        manifest = render_manifest(choice, self._address + _CREATED)
        return _page(render_review(choice, manifest, state, root=self.root), posts_away=True)

    async def created(self, code: str = "", state: str = "") -> Response:
        """Where GitHub sends the browser. Who comes without the right state learns nothing of the secret path."""
        is_known = self._session.knows(state)
        try:
            await self._session.take_code(code, state)
        except UserError as error:
            can_store = is_known and self._session.made is not None
            page = render_problem(str(error), root=self.root if is_known else "", can_store=can_store)
            return _page(page, status=409)
        return RedirectResponse(f"{self.root}/done", 303)

    async def store(self) -> Response:
        try:
            self._session.store()
        except UserError as error:
            can_store = self._session.made is not None
            return _page(render_problem(str(error), root=self.root, can_store=can_store), status=409)
        return RedirectResponse(f"{self.root}/done", 303)

    async def done(self) -> Response:
        choice, made, stored = self._session.choice, self._session.made, self._session.stored
        if choice is None or made is None or stored is None:
            return RedirectResponse(f"{self.root}/", 303)
        asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self._on_done)
        return _page(render_done(made.name, render_steps(choice, made, stored)))


async def _read_form(request: Request) -> dict[str, str]:
    """Raises:
    Refused: `too_large`.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise Refused("too_large", f"expected a form of at most {_LARGEST_FORM} bytes, got more")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))


def _page(html: str, *, status: int = 200, posts_away: bool = False) -> HTMLResponse:
    """`posts_away`: to the GitHub that was chosen, which may send the browser on to wherever people sign in there; a
    policy on forms would hold that up, too."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    headers = {"content-security-policy": policy if posts_away else f"{policy}; form-action 'self'"}
    return HTMLResponse(html, status, headers)
