"""How people take the reviews of an installation, read from our tables."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from app.domain.errors import UserError
from app.domain.verdicts import Feedback, Verdict
from app.review.rates import AdapterRates, Judged, Reviewed, Said, measure_adapters
from app.store.database import reading
from app.store.deliveries import load_installation
from app.store.feedback import select_asks, select_judged, select_review_states
from app.store.searching import select_said
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


def measure_feedback(
    session: Session, installation_id: int, repositories: Collection[str] | None = None
) -> tuple[AdapterRates, ...]:
    """The same from an open session; of these repositories only, when some are given.

    Raises:
        UserError: for an installation that we never heard of.
    """
    if load_installation(session, installation_id) is None:
        raise UserError(f"expected a known installation, got {installation_id}; install the App there first")
    return measure_adapters(
        _reviewed(session, installation_id, repositories),
        _judged(session, installation_id, repositories),
        [
            Said(pull=(place[0], place[1]), path=place[2], line=place[3])
            for place in select_said(session, installation_id)
        ],
    )


def _reviewed(session: Session, installation_id: int, repositories: Collection[str] | None) -> list[Reviewed]:
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
        for row in select_review_states(session, installation_id)
        if repositories is None or row.repository in repositories
    ]


def _judged(session: Session, installation_id: int, repositories: Collection[str] | None) -> list[Judged]:
    return [
        Judged(
            adapter=row.adapter or _NOBODY,
            pull=(row.repository, row.pull_request),
            path=row.path,
            line=row.line,
            held_back=row.held_back,
            verdict=Verdict(row.verdict),
            signs=_parse_signs(row.signs),
        )
        for row in select_judged(session, installation_id)
        if repositories is None or row.repository in repositories
    ]


@lru_cache(maxsize=4_096)
def _parse_signs(text: str) -> Feedback:
    return Feedback.model_validate_json(text)
