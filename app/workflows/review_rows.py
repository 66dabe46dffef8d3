"""What our tables hold of one review while its steps run."""

from sqlmodel import Session

from app.domain.errors import UnderstudyError
from app.domain.findings import Finding
from app.store.database import reading
from app.store.reviews import load_review, select_findings
from app.store.tables import ReviewRow
from app.workflows.context import services


def load_row(session: Session, installation_id: int, review_id: str) -> ReviewRow:
    row = load_review(session, installation_id, review_id)
    if row is None:
        raise UnderstudyError(f"review {review_id} is gone: it was erased while it ran")
    return row


def load_drafted(review_id: str) -> tuple[Finding, ...]:
    with reading(services().database) as session:
        return tuple(Finding.model_validate(row.payload) for row in select_findings(session, review_id))
