"""After a push: our earlier comments say in which commit their line was changed, each edited once.

What is addressed was decided when the review was drafted, over the files that it read, and lies in its coverage. Here
GitHub is asked how the comments read now, and only the difference is written: a step that runs again finds nothing left
to do.
"""

import logging

from sqlmodel import Session

from app.domain.errors import Refused
from app.review.coverage import Coverage
from app.review.following import PostedFinding, decide_edits, keep_shown
from app.store.database import reading, writing
from app.store.reviews import save_coverage, select_posted_findings
from app.store.tables import ReviewRow
from app.workflows.context import services
from app.workflows.engine import step
from app.workflows.review_rows import load_row

#: Deleted meanwhile, in a locked conversation, or grown too long by people: a mark is worth no failed review.
_UNEDITABLE = frozenset({"not_found", "gone", "forbidden", "invalid"})
#: In one review; the next one does the rest. Writes are counted for a whole installation, and anybody may push often.
_MOST_EDITS = 10
_log = logging.getLogger(__name__)


def load_earlier(session: Session, row: ReviewRow) -> tuple[PostedFinding, ...]:
    """What was posted on the pull request of a review, at whatever head."""
    return tuple(
        PostedFinding(
            fingerprint=one.fingerprint,
            words=one.payload.get("words"),
            path=one.path,
            body=one.body,
            comment_id=one.comment_id,
        )
        for one in select_posted_findings(session, row.installation_id, row.repository, row.pull_request)
    )


@step()
async def mark_comments(installation_id: int, review_id: str) -> int:
    """Bring the marks of our earlier comments up to date. Returns how many comments were edited now.

    None is edited when the head moved on: the review of that head does it.
    """
    with reading(services().database) as session:
        row = load_row(session, installation_id, review_id)
        earlier = load_earlier(session, row)
    coverage = Coverage.model_validate(row.coverage)
    followed, github = coverage.followed, services().github(installation_id)
    if not followed.addressed + followed.standing:
        return 0
    login = services().host_of(row.installation_id).login
    shown = await github.list_line_comments(row.repository, row.pull_request, login)
    kept = coverage.model_copy(update={"followed": keep_shown(earlier, followed, shown)})
    with writing(services().database) as session:
        save_coverage(session, review_id, kept.model_dump(mode="json"))
    edits = decide_edits(earlier, followed, shown, row.head_sha)
    if not edits or (await github.fetch_pull(row.repository, row.pull_request))["head"]["sha"] != row.head_sha:
        return 0
    now = list(edits.items())[:_MOST_EDITS]
    return sum([await _edit(row, comment_id, body) for comment_id, body in now])


async def _edit(row: ReviewRow, comment_id: int, body: str) -> bool:
    try:
        await services().github(row.installation_id).update_review_comment(row.repository, comment_id, body)
    except Refused as refusal:
        if refusal.reason not in _UNEDITABLE:
            raise
        _log.warning("a comment of review %s keeps its words: %s", row.id, refusal)
        return False
    return True
