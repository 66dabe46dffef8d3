"""Our own Findings as rows of whether the team acts. They never become comments or hunks to learn from. Pure."""

from collections.abc import Collection, Iterable

from app.dataset.rows import clean_body
from app.domain.snapshots import OutcomeRow
from app.domain.verdicts import Verdict
from app.store.feedback import Spoken
from app.store.tables import FeedbackRow

_ACCEPTED = {Verdict.ADDRESSED: True, Verdict.DISMISSED: False, Verdict.IGNORED: False}


def render_finding_outcomes(
    told: Iterable[tuple[FeedbackRow, Spoken]], approved: Collection[tuple[str, int]]
) -> tuple[OutcomeRow, ...]:
    """One row for each posted Finding whose Verdict is known and that may be learned from, in the order given.

    `approved`: pull requests, as repository and number, of which people let something in. What was held back has no
    row: nobody saw it, so nobody accepted or refused it. The fingerprint leads back to the Finding (`trace fp1:…`).
    """
    rows = (_row(feedback, spoken) for feedback, spoken in told if _may_learn(feedback, approved))
    return tuple(row for row in rows if row is not None)


def _may_learn(feedback: FeedbackRow, approved: Collection[tuple[str, int]]) -> bool:
    if feedback.held_back or not feedback.line_text:
        return False
    is_approved = (feedback.repository, feedback.pull_request) in approved
    return feedback.consent == "evidence" or (feedback.consent == "approval" and is_approved)


def _row(feedback: FeedbackRow, spoken: Spoken) -> OutcomeRow | None:
    accepted = _ACCEPTED.get(Verdict(feedback.verdict))
    body = clean_body(spoken.finding.body)
    if accepted is None or not body:
        return None
    return OutcomeRow(
        example=feedback.fingerprint,
        repository=feedback.repository,
        pull_request=feedback.pull_request,
        created_at=feedback.pull_request_created_at,
        path=spoken.finding.path,
        line_text=feedback.line_text,
        body=body,
        accepted=accepted,
    )
