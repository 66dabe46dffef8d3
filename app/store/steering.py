"""What people told reviews to do: pauses, and Findings that they dismissed."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.findings import Finding
from app.store.rows import insert_if_absent
from app.store.tables import DismissalRow, FindingRow, PauseRow, ReviewRow


class Place(NamedTuple):
    """A pull request of an installation."""

    installation_id: int
    repository: str
    pull_request: int


class Posted(NamedTuple):
    """A Finding under the comment that it became, and the review it was part of."""

    finding: Finding
    review: ReviewRow


def save_pause(session: Session, place: Place, *, actor: str, role: str) -> bool:
    """False if it is paused already: who paused it first stays."""
    return insert_if_absent(session, PauseRow(**place._asdict(), actor=actor, actor_role=role))


def delete_pause(session: Session, place: Place) -> bool:
    """False if it was not paused."""
    statement = sa.delete(PauseRow).where(*_at(PauseRow, place))
    return bool(session.connection().execute(statement).rowcount)


def load_pause(session: Session, place: Place) -> PauseRow | None:
    return session.get(PauseRow, tuple(place))


def save_dismissal(
    session: Session, place: Place, finding: Finding, *, comment_id: int, actor: str, role: str, reason: str
) -> bool:
    """False if it is dismissed already: the first reason stays."""
    row = DismissalRow(
        **place._asdict(),
        fingerprint=finding.fingerprint,
        words=finding.words,
        reason=reason,
        actor=actor,
        actor_role=role,
        comment_id=comment_id,
    )
    return insert_if_absent(session, row)


def select_dismissed(session: Session, place: Place) -> set[str]:
    """Fingerprints that were dismissed on this pull request, and words that were anywhere in its repository."""
    query = select(DismissalRow.pull_request, DismissalRow.fingerprint, DismissalRow.words).where(
        DismissalRow.installation_id == place.installation_id, DismissalRow.repository == place.repository
    )
    found: set[str] = set()
    for number, fingerprint, words in session.exec(query):
        found |= {fingerprint} if number == place.pull_request else set()
        found |= {words} if words else set()
    return found


def load_posted(session: Session, place: Place, comment_id: int) -> Posted | None:
    """The Finding that a comment of ours on this pull request shows."""
    query = (
        select(FindingRow, ReviewRow)
        .join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        .where(FindingRow.comment_id == comment_id, *_at(ReviewRow, place))
    )
    found = session.exec(query).first()
    return None if found is None else Posted(Finding.model_validate(found[0].payload), found[1])


def _at(
    table: type[PauseRow] | type[ReviewRow], place: Place
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (
        col(table.installation_id) == place.installation_id,
        col(table.repository) == place.repository,
        col(table.pull_request) == place.pull_request,
    )
