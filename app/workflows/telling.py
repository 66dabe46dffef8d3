"""How people take the reviews of an installation, read from our tables."""

from typing import Any

from sqlmodel import Session

from app.domain.errors import UserError
from app.domain.verdicts import Feedback, Verdict
from app.review.rates import AdapterRates, Judged, Reviewed, Said, measure_adapters
from app.store.database import reading
from app.store.deliveries import load_installation
from app.store.feedback import COUNTED, select_asks, select_spoken_with_feedback
from app.store.learning import select_examples
from app.store.reviews import select_reviews
from app.workflows.context import services

_NOBODY = "none"


def read_feedback(installation_id: int) -> dict[str, Any]:
    """Rates by adapter version, the newest first.

    Raises:
        UserError: for an installation that we never heard of.
    """
    with reading(services().database) as session:
        rates = measure_feedback(session, installation_id)
    return {"installation": installation_id, "adapters": [one.model_dump(mode="json") for one in rates]}


def measure_feedback(session: Session, installation_id: int) -> tuple[AdapterRates, ...]:
    """The same from an open session.

    Raises:
        UserError: for an installation that we never heard of.
    """
    if load_installation(session, installation_id) is None:
        raise UserError(f"expected a known installation, got {installation_id}; install the App there first")
    return measure_adapters(
        _reviewed(session, installation_id), _judged(session, installation_id), _said(session, installation_id)
    )


def _reviewed(session: Session, installation_id: int) -> list[Reviewed]:
    asked = select_asks(session, installation_id)
    return [
        Reviewed(
            adapter=row.adapter or _NOBODY,
            pull=(row.repository, row.pull_request),
            state=row.state,
            created_at=row.created_at,
            asked_at=asked.get(row.id),
            finished_at=row.finished_at,
        )
        for row in select_reviews(session, installation_id)
        if row.state in COUNTED
    ]


def _judged(session: Session, installation_id: int) -> list[Judged]:
    return [
        Judged(
            adapter=spoken.review.adapter or _NOBODY,
            pull=(feedback.repository, feedback.pull_request),
            path=spoken.finding.path,
            line=spoken.finding.line,
            held_back=feedback.held_back,
            verdict=Verdict(feedback.verdict),
            signs=Feedback.model_validate(feedback.signs),
        )
        for feedback, spoken in select_spoken_with_feedback(session, installation_id)
    ]


def _said(session: Session, installation_id: int) -> list[Said]:
    """On the new side: the Locator reads no other."""
    return [
        Said(pull=(row.repository, row.pull_request or 0), path=row.payload["path"], line=row.payload["line"])
        for row in select_examples(session, installation_id)
        if row.comment_id is not None and row.payload["side"] == "RIGHT"
    ]
