"""POST /webhooks. The answer says what is durably true: 202 and 200 only for what is committed."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.domain.errors import Refused
from app.intake.deliveries import Envelope, Glance, decide_ignored, parse_body, parse_headers
from app.intake.signatures import is_authentic, is_signature
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import save_delivery, select_known_guids
from app.store.tables import DeliveryRow

_STATUS = {"content_type": 415, "headers": 400, "json": 400, "signature": 401, "too_large": 413, "too_slow": 408}
#: Refused with some of the body still to come.
_UNREAD = frozenset({"signature", "too_large", "too_slow"})
_RETRY_SECONDS = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """What intake needs. `enqueue` starts the workflow of a GUID inside the session's transaction."""

    host: str
    app_slug: str
    secrets: tuple[str, ...]
    body_limit_bytes: int
    database: Callable[[], sa.Engine]
    enqueue: Callable[[Session, str], None]
    #: GitHub itself gives a delivery ten seconds, from its first byte to our answer.
    body_seconds: float = 10.0


def intake_router(intake: Intake) -> APIRouter:
    router = APIRouter()

    @router.post("/webhooks", status_code=202)
    async def receive(request: Request) -> JSONResponse:
        try:
            envelope = parse_headers(request.headers, intake.host)
            signature = request.headers.get("x-hub-signature-256")
            body = await _read(request, intake) if is_signature(signature) else b""
            if not is_authentic(body, signature, intake.secrets):
                raise Refused("signature", "expected X-Hub-Signature-256 over this body with the App's webhook secret")
            return await asyncio.to_thread(_accept, intake, envelope, body)
        except Refused as refused:
            _log.info("refused a delivery: %s", refused.reason)
            # Closing ends what is still being sent; the server would read, and drop, all of it.
            headers = {"connection": "close"} if refused.reason in _UNREAD else None
            return JSONResponse({"error": refused.reason, "detail": str(refused)}, _STATUS[refused.reason], headers)
        except sa.exc.SQLAlchemyError as error:
            # Its type only: the text of a database error shows the values of the statement.
            _log.error("could not store a delivery: %s", type(error).__name__)
            detail = "the delivery was not stored; redeliver it"
            headers = {"retry-after": str(_RETRY_SECONDS)}
            return JSONResponse({"error": "not_stored", "detail": detail}, 503, headers)

    return router


async def _read(request: Request, intake: Intake) -> bytes:
    """The raw body, given up as soon as it is too large, whatever its header claims, or too long on its way.

    Raises:
        Refused: `too_large` or `too_slow`.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(intake.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > intake.body_limit_bytes:
                    raise Refused("too_large", f"expected at most {intake.body_limit_bytes} bytes")
    except TimeoutError:
        raise Refused("too_slow", f"expected the whole body within {intake.body_seconds:g} s; redeliver it") from None
    return bytes(body)


def _accept(intake: Intake, envelope: Envelope, body: bytes) -> JSONResponse:
    glance = parse_body(body)
    ignored = decide_ignored(envelope.event, glance, intake.app_slug)
    with reading(intake.database()) as session:
        known = bool(select_known_guids(session, [envelope.guid]))
    # Looking first spares a duplicate the write lock; storing decides, so that a race has one winner.
    new = not known and _store(intake, envelope, glance, body, ignored)
    if not new:
        return JSONResponse({"delivery": envelope.guid, "outcome": "duplicate"}, 200)
    return JSONResponse({"delivery": envelope.guid, "outcome": ignored or "accepted"}, 202)


def _store(intake: Intake, envelope: Envelope, glance: Glance, body: bytes, ignored: str | None) -> bool:
    with writing(intake.database()) as session:
        new = save_delivery(session, _delivery_row(envelope, glance, body, ignored))
        if new and ignored is None:
            intake.enqueue(session, envelope.guid)
    return new


def _delivery_row(envelope: Envelope, glance: Glance, body: bytes, ignored: str | None) -> DeliveryRow:
    return DeliveryRow(
        guid=envelope.guid,
        event=envelope.event,
        action=glance.action,
        installation_id=glance.installation_id,
        body=body,
        headers=envelope.headers,
        handled_at=None if ignored is None else utc_now(),
        outcome=ignored,
    )
