"""What became of Findings that were posted or held back, and the reviews they belong to."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.store.rows import insert_if_absent, upsert
from app.store.steering import Place
from app.store.tables import DismissalRow, FeedbackRow, FindingRow, ReviewAskRow, ReviewRow

HELD_BACK = "held_back"
#: States of reviews that count in rates: whoever got one had our word, our silence, or stayed without as a control.
COUNTED = frozenset({"posted", "silent", HELD_BACK})


class Spoken(NamedTuple):
    """A Finding that was posted, or held back, with its review."""

    finding: FindingRow
    review: ReviewRow

    @property
    def is_held_back(self) -> bool:
        return self.review.state == HELD_BACK


def save_ask(session: Session, review_id: str, installation_id: int, received_at: datetime) -> bool:
    """False if an earlier webhook asked for the same review: that one stays."""
    row = ReviewAskRow(review_id=review_id, installation_id=installation_id, received_at=received_at)
    return insert_if_absent(session, row)


def load_ask(session: Session, review_id: str) -> datetime | None:
    """When the webhook came that asked for the review; None for one that the sweep found."""
    row = session.get(ReviewAskRow, review_id)
    return None if row is None else row.received_at


def select_asks(session: Session, installation_id: int) -> dict[str, datetime]:
    """By review id."""
    columns = (col(ReviewAskRow.review_id), col(ReviewAskRow.received_at))
    query = sa.select(*columns).where(col(ReviewAskRow.installation_id) == installation_id)
    return {str(review_id): received_at for review_id, received_at in session.connection().execute(query)}


def select_open_pulls(session: Session, installation_id: int, *, limit: int) -> list[tuple[str, int]]:
    """Pull requests with a Finding and nothing settled, as repository and number, the last reviewed first."""
    settled = sa.exists().where(
        col(FeedbackRow.installation_id) == col(ReviewRow.installation_id),
        col(FeedbackRow.repository) == col(ReviewRow.repository),
        col(FeedbackRow.pull_request) == col(ReviewRow.pull_request),
        col(FeedbackRow.settled_at).is_not(None),
    )
    place = (col(ReviewRow.repository), col(ReviewRow.pull_request))
    query = (
        sa.select(*place)
        .join(FindingRow, col(FindingRow.review_id) == col(ReviewRow.id))
        .where(col(ReviewRow.installation_id) == installation_id, _was_spoken(), ~settled)
        .group_by(*place)
        .order_by(sa.func.max(ReviewRow.created_at).desc(), *place)
        .limit(limit)
    )
    return [(str(repository), int(number)) for repository, number in session.connection().execute(query)]


def select_spoken(session: Session, place: Place) -> list[Spoken]:
    """What was said on a pull request, or held back, each Finding once, as it was first."""
    query = (
        select(FindingRow, ReviewRow)
        .join(ReviewRow, col(ReviewRow.id) == col(FindingRow.review_id))
        .where(
            ReviewRow.installation_id == place.installation_id,
            ReviewRow.repository == place.repository,
            ReviewRow.pull_request == place.pull_request,
            _was_spoken(),
        )
        .order_by(col(ReviewRow.created_at), col(ReviewRow.id), col(FindingRow.fingerprint))
    )
    first: dict[str, Spoken] = {}
    for finding, review in session.exec(query):
        first.setdefault(finding.fingerprint, Spoken(finding, review))
    return list(first.values())


def select_dismissals(session: Session, place: Place) -> dict[str, bool]:
    """Fingerprints that were dismissed on a pull request, each with whether a reason was given."""
    query = select(DismissalRow.fingerprint, DismissalRow.reason).where(
        DismissalRow.installation_id == place.installation_id,
        DismissalRow.repository == place.repository,
        DismissalRow.pull_request == place.pull_request,
    )
    return {fingerprint: bool(reason.strip()) for fingerprint, reason in session.exec(query)}


def save_feedback(session: Session, rows: Iterable[FeedbackRow]) -> None:
    for row in rows:
        upsert(session, row)


def settle_pull(session: Session, place: Place, at: datetime) -> None:
    """Nothing more will be learned of a pull request: what is known of it stays as it is."""
    statement = sa.update(FeedbackRow).where(
        col(FeedbackRow.installation_id) == place.installation_id,
        col(FeedbackRow.repository) == place.repository,
        col(FeedbackRow.pull_request) == place.pull_request,
    )
    session.connection().execute(statement.values(settled_at=at))


def select_feedback(session: Session, installation_id: int, place: Place | None = None) -> list[FeedbackRow]:
    """Oldest pull request first, of one when it is named."""
    query = select(FeedbackRow).where(FeedbackRow.installation_id == installation_id)
    if place is not None:
        query = query.where(FeedbackRow.repository == place.repository, FeedbackRow.pull_request == place.pull_request)
    order = (col(FeedbackRow.pull_request_created_at), col(FeedbackRow.review_id), col(FeedbackRow.fingerprint))
    return list(session.exec(query.order_by(*order)))


def select_spoken_with_feedback(session: Session, installation_id: int) -> list[tuple[FeedbackRow, Spoken]]:
    query = (
        select(FeedbackRow, FindingRow, ReviewRow)
        .join(FindingRow, _same_finding())
        .join(ReviewRow, col(ReviewRow.id) == col(FeedbackRow.review_id))
        .where(FeedbackRow.installation_id == installation_id)
        .order_by(col(FeedbackRow.pull_request_created_at), col(FeedbackRow.review_id), col(FeedbackRow.fingerprint))
    )
    return [(feedback, Spoken(finding, review)) for feedback, finding, review in session.exec(query)]


class ReviewState(NamedTuple):
    """A review that counts in rates, without what it read."""

    id: str
    adapter: str | None
    repository: str
    pull_request: int
    state: str
    created_at: datetime
    finished_at: datetime | None


def select_review_states(session: Session, installation_id: int) -> list[ReviewState]:
    """Oldest first. Columns and no rows: a page asks for thousands."""
    columns = (col(getattr(ReviewRow, name)) for name in ReviewState._fields)
    query = sa.select(*columns).where(
        col(ReviewRow.installation_id) == installation_id, col(ReviewRow.state).in_(sorted(COUNTED))
    )
    found = session.connection().execute(query.order_by(col(ReviewRow.created_at), col(ReviewRow.id)))
    return list(map(ReviewState._make, found.all()))


class JudgedFinding(NamedTuple):
    """What became of a Finding, with its place and who made it. `signs` is a Feedback's JSON: few differ, so whoever
    reads thousands parses each once."""

    adapter: str | None
    repository: str
    pull_request: int
    path: str
    line: int
    held_back: bool
    verdict: str
    signs: str


def select_judged(session: Session, installation_id: int) -> list[JudgedFinding]:
    """Oldest pull request first."""
    feedback, finding = FeedbackRow, FindingRow
    query = (
        sa.select(
            col(ReviewRow.adapter),
            col(feedback.repository),
            col(feedback.pull_request),
            col(finding.path),
            col(finding.line),
            col(feedback.held_back),
            col(feedback.verdict),
            sa.cast(col(feedback.signs), sa.Text),
        )
        .join(finding, _same_finding())
        .join(ReviewRow, col(ReviewRow.id) == col(feedback.review_id))
        .where(col(feedback.installation_id) == installation_id)
        .order_by(col(feedback.pull_request_created_at), col(feedback.review_id), col(feedback.fingerprint))
    )
    return list(map(JudgedFinding._make, session.connection().execute(query).all()))


def _same_finding() -> sa.ColumnElement[bool]:
    return sa.and_(
        col(FeedbackRow.review_id) == col(FindingRow.review_id),
        col(FeedbackRow.fingerprint) == col(FindingRow.fingerprint),
    )


def _was_spoken() -> sa.ColumnElement[bool]:
    return sa.or_(col(FindingRow.posted).is_(True), col(ReviewRow.state) == HELD_BACK)


def delete_asks(session: Session, before: datetime) -> int:
    """When reviews were asked for tells how fast they came, and nobody asks that of a year ago."""
    statement = sa.delete(ReviewAskRow).where(col(ReviewAskRow.received_at) < before)
    return session.connection().execute(statement).rowcount
