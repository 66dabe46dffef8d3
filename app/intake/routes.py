"""POST /webhooks. The answer says what is durably true: 202 and 200 only for what is committed."""

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from opentelemetry.trace import Span
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.domain.errors import Refused
from app.domain.log_lines import about
from app.intake.deliveries import Envelope, decide_ignored, label_event, parse_body, parse_headers
from app.intake.recording import Recorder
from app.intake.signatures import Sender, decide_sender, is_signature
from app.intake.unverified import Share, UnverifiedBytes
from app.store.columns import utc_now
from app.store.deliveries import NewDelivery
from app.watching.metrics import ACKNOWLEDGEMENT, DELIVERIES
from app.watching.tracing import SERVER, TRACEPARENT, current_trace_id, current_traceparent, span

_STATUS = {
    "content_type": 415,
    "headers": 400,
    "json": 400,
    "signature": 401,
    "too_large": 413,
    "too_slow": 408,
    "no_room": 503,
}
#: Refused with some of the body still to come.
_UNREAD = frozenset({"signature", "too_large", "too_slow", "no_room"})
_RETRY_SECONDS = 10
#: From here on a body is checked and parsed in a thread: the loop must not stand still for other deliveries.
_LARGE_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """What intake needs. `stored` is told when there is something new to act upon."""

    senders: tuple[Sender, ...]
    body_limit_bytes: int
    #: of all bodies together whose signature is not checked yet
    unverified_limit_bytes: int
    database: Callable[[], sa.Engine]
    stored: Callable[[], None]
    #: GitHub itself gives a delivery ten seconds, from its first byte to our answer.
    body_seconds: float = 10.0


def intake_route(intake: Intake) -> Route:
    """A plain route: there is nothing to inject or to validate here that a framework could help with, and it is asked
    more often than all others together."""
    return Route("/webhooks", _Receiver(intake), methods=["POST"])


class _Receiver:
    """An ASGI application: a function of requests would cost its wrapper for each of them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._recorder = Recorder(intake.database, intake.stored)
        self._unverified = UnverifiedBytes(intake.unverified_limit_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        event = label_event(request.headers.get("x-github-event", ""))
        with ACKNOWLEDGEMENT.time(), span(f"webhook {event}", SERVER) as current, about(trace=current_trace_id()):
            answer, outcome = await _receive(self._intake, self._recorder, self._unverified, request, current)
        DELIVERIES.labels(event, outcome).inc()
        await answer(scope, receive, send)


async def _receive(
    intake: Intake, recorder: Recorder, unverified: UnverifiedBytes, request: Request, current: Span
) -> tuple[JSONResponse, str]:
    """The answer, and in a word what became of the delivery."""
    try:
        envelope = parse_headers(request.headers)
        current.set_attribute("understudy.delivery", envelope.guid)
        with about(delivery=envelope.guid):
            row = await _verify(intake, envelope, unverified, request)
            if not await recorder.keep(row):
                return JSONResponse({"delivery": row.guid, "outcome": "duplicate"}, 200), "duplicate"
            outcome = row.outcome or "accepted"
            return JSONResponse({"delivery": row.guid, "outcome": outcome}, 202), outcome.split(":")[0]
    except Refused as refused:
        _log.info("refused a delivery: %s", refused.reason)
        # Closing ends what is still being sent; the server would read, and drop, all of it.
        headers = {"connection": "close"} if refused.reason in _UNREAD else {}
        headers |= {"retry-after": str(_RETRY_SECONDS)} if refused.reason == "no_room" else {}
        content = {"error": refused.reason, "detail": str(refused)}
        return JSONResponse(content, _STATUS[refused.reason], headers), refused.reason
    except sa.exc.SQLAlchemyError as error:
        # Its type only: the text of a database error shows the values of the statement.
        _log.error("could not store a delivery: %s", type(error).__name__)
        detail = "the delivery was not stored; redeliver it"
        headers = {"retry-after": str(_RETRY_SECONDS)}
        return JSONResponse({"error": "not_stored", "detail": detail}, 503, headers), "not_stored"


async def _verify(intake: Intake, envelope: Envelope, unverified: UnverifiedBytes, request: Request) -> NewDelivery:
    """Raises:
    Refused: as `_read` and `_decide_row`.
    """
    signature = request.headers.get("x-hub-signature-256")
    with unverified.share() as share:
        body = await _read(request, intake, share) if is_signature(signature) else b""
        decide = functools.partial(_decide_row, intake, envelope, body, signature)
        return decide() if len(body) < _LARGE_BYTES else await asyncio.to_thread(decide)


async def _read(request: Request, intake: Intake, share: Share) -> bytes:
    """The raw body, given up as soon as it is too large, whatever its header claims, too long on its way, or more than
    there is room for.

    Raises:
        Refused: `too_large`, `too_slow` or `no_room`.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(intake.body_seconds):
            async for chunk in request.stream():
                share.take(len(chunk))
                body += chunk
                if len(body) > intake.body_limit_bytes:
                    raise Refused("too_large", f"expected at most {intake.body_limit_bytes} bytes")
    except TimeoutError:
        raise Refused("too_slow", f"expected the whole body within {intake.body_seconds:g} s; redeliver it") from None
    return bytes(body)


def _decide_row(intake: Intake, envelope: Envelope, body: bytes, signature: str | None) -> NewDelivery:
    """Raises:
    Refused: `signature` or `json`.
    """
    host = decide_sender(body, signature, intake.senders, envelope.claimed_host)
    envelope, glance = envelope.under(host.name), parse_body(body).of(host)
    ignored = decide_ignored(envelope.event, glance, host.app_slug)
    parent = current_traceparent()  # kept with the delivery: whoever handles it may be another process
    now = utc_now()
    return NewDelivery(
        guid=envelope.guid,
        event=envelope.event,
        action=glance.action,
        installation_id=glance.installation_id,
        body=body,
        headers=envelope.headers if parent is None else envelope.headers | {TRACEPARENT: parent},
        received_at=now,
        handled_at=None if ignored is None else now,
        outcome=ignored,
    )
