"""Signing in and out: through GitHub, or as the operator."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.domain.errors import Refused
from app.domain.tenants import join_tenant
from app.github.signing_in import SigningIn
from app.store.columns import utc_now
from app.store.sessions import delete_expired, delete_session, is_sign_in_used, save_session, save_used_sign_in
from app.store.web_tables import SessionRow, SignInRow
from app.web.dashboard import guarding
from app.web.dashboard.access import OPERATOR
from app.web.dashboard.desk import PREFIX, SIGN_IN_PAGE, Ended, Route, Visit

CALLBACK = "/sign-in/callback"
_USED = "This sign-in was used already, or took too long. Begin it anew."


async def show_sign_in(visit: Visit) -> Response:
    place = visit.desk.place
    ready = place.signing_in is not None and place.public_url is not None
    return visit.page("sign_in.html", ready=ready)


async def begin(visit: Visit) -> Response:
    """To GitHub, with a state that this browser alone holds and that counts once. Anybody may ask for this, so nothing
    is written: the state is signed, and the verifier follows from it."""
    key = _key(visit)
    state = guarding.new_state(key, utc_now())
    signing_in, back = _client(visit)
    challenge = guarding.challenge(guarding.derive_verifier(key, state))
    address = signing_in.address(state=state, challenge=challenge, back=back)
    response = RedirectResponse(address, 303)
    visit.desk.set_cookie(response, guarding.SIGN_IN, state, guarding.SIGN_IN_SECONDS)
    return response


async def finish(visit: Visit) -> Response:
    """Back from GitHub. That a state was used is written for somebody whom GitHub named, and for nobody else; until
    then the code, which GitHub takes once, keeps two from entering."""
    state = visit.query.get("state", "")
    held = visit.request.cookies.get(visit.desk.cookie(guarding.SIGN_IN), "")
    if not state or not guarding.is_equal(state, held):
        raise Ended(403, "This sign-in was not begun in this browser. Begin it here.")
    used = SignInRow(
        key=guarding.hash_secret(state),
        verifier="",
        expires_at=utc_now() + timedelta(seconds=guarding.SIGN_IN_SECONDS),
    )
    is_fresh = guarding.is_fresh_state(_key(visit), state, utc_now())
    if not is_fresh or await visit.read(lambda session: is_sign_in_used(session, used.key)):
        raise Ended(403, _USED)
    if "code" not in visit.query:
        raise Ended(403, "GitHub did not let you in, or you declined.")
    signing_in, back = _client(visit)
    try:
        verifier = guarding.derive_verifier(_key(visit), state)
        person = await signing_in.identify(code=visit.query["code"], verifier=verifier, back=back)
    except Refused as error:
        raise Ended(403, str(error)) from error
    row = _session_row(login=person.login, user_id=person.user_id, installations=_tenants(person.installations))
    try:
        response = await _enter(visit, row, used)
    except IntegrityError as error:
        raise Ended(403, _USED) from error
    visit.desk.set_cookie(response, guarding.SIGN_IN, "", 0)
    return response


async def enter_as_operator(visit: Visit) -> Response:
    """With the token of `/operator`. Only wrong ones are counted, a few times a minute: behind a proxy all callers look
    like one, and a stranger's attempts must not keep the operator out."""
    desk = visit.desk
    if not guarding.is_equal(visit.form.get("token", ""), desk.place.operator_token):
        if not desk.limiter.allows(_caller(visit.request)):
            raise Ended(429, "Too many attempts. Wait a minute.")
        raise Ended(403, "That is not the operator's token.")
    return await _enter(visit, _session_row(login=OPERATOR, is_operator=True))


async def sign_out(visit: Visit) -> Response:
    await visit.call(visit.desk.write, lambda session: delete_session(session, visit.viewer.key))
    response = RedirectResponse(SIGN_IN_PAGE, 303)
    visit.desk.set_cookie(response, guarding.SESSION, "", 0)
    return response


def _key(visit: Visit) -> bytes:
    return guarding.derive_state_key(visit.desk.place.operator_token)


def _client(visit: Visit) -> tuple[SigningIn, str]:
    place = visit.desk.place
    if place.signing_in is None or place.public_url is None:
        raise Ended(404, "Sign-in with GitHub is not set up here.")
    return place.signing_in, f"{place.public_url.rstrip('/')}{PREFIX}{CALLBACK}"


def _session_row(
    *, login: str, user_id: int | None = None, is_operator: bool = False, installations: list[int] | None = None
) -> SessionRow:
    return SessionRow(
        key="",
        login=login,
        user_id=user_id,
        is_operator=is_operator,
        installations=installations or [],
        expires_at=utc_now() + timedelta(seconds=guarding.SESSION_SECONDS),
    )


async def _enter(visit: Visit, row: SessionRow, used: SignInRow | None = None) -> Response:
    """A session with a secret of its own: one that the browser came with is never taken over.

    Raises:
        IntegrityError: when the sign-in was used already.
    """
    secret = guarding.new_secret()
    operator_token = visit.desk.place.operator_token
    row.key = guarding.operator_key(secret, operator_token) if row.is_operator else guarding.hash_secret(secret)

    def save(session: Session) -> None:
        delete_expired(session, utc_now())
        if used is not None:
            save_used_sign_in(session, used)
        save_session(session, row)

    login = row.login
    await visit.call(visit.desk.write, save)
    await visit.call(visit.desk.note, None, login, "dashboard.signed_in", "dashboard", {})
    response = RedirectResponse(PREFIX, 303)
    visit.desk.set_cookie(response, guarding.SESSION, secret, guarding.SESSION_SECONDS)
    return response


def _tenants(installations: Iterable[int]) -> list[int]:
    """Sign-in is by the first GitHub: whatever ids it tells, they are tenants of its own."""
    return [join_tenant(0, one) for one in installations]


def _caller(request: Request) -> str:
    return "" if request.client is None else request.client.host


ROUTES = (
    Route("GET", "/sign-in", show_sign_in, needs="nobody"),
    Route("GET", "/sign-in/github", begin, needs="nobody"),
    Route("GET", CALLBACK, finish, needs="nobody"),
    Route("POST", "/sign-in/operator", enter_as_operator, needs="form"),
    Route("POST", "/sign-out", sign_out, needs="session"),
)
