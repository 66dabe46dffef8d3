"""Opens the newest recorded pull requests as their first reviewer met them, and reads what Understudy said there."""

from collections.abc import Iterator

from sqlalchemy import Engine

from app.domain.adapters import AdapterState
from app.domain.examples import Evidence
from app.domain.noise import decide_bot, decide_noise
from app.harvest.evidence import decide_by_distance
from app.rehearsal.archive import ArchivedPullRequest
from app.rehearsal.backtest import PullBacktest, Remark
from app.rehearsal.playback import Mirror, find_base, find_head
from app.store.database import reading, writing
from app.store.reviews import select_findings, select_reviews
from app.store.rounds import load_pointer, move_pointer, select_adapter_versions

_NO_REVIEW = "none"


def find_reviewed(mirror: Mirror, row: ArchivedPullRequest) -> str:
    """The commit that the first comment was made on, where the mirror still holds it; else the last known head.

    At the head most of what people asked for is done already: nobody could find it there.
    """
    for comment in sorted(row.comments, key=lambda one: one.created_at):
        commit = mirror.resolve(comment.original_commit_id)
        if commit is not None:
            return commit
    return find_head(mirror, row)


def read_backtest(
    database: Engine, installation_id: int, mirror: Mirror, rows: tuple[ArchivedPullRequest, ...]
) -> Iterator[PullBacktest]:
    """What was found and what people said, of each pull request that `find_reviewed` opened."""
    for row in rows:
        commit, head = find_reviewed(mirror, row), find_head(mirror, row)
        shown = mirror.shown(find_base(mirror, row, commit), commit)
        with reading(database) as session:
            reviews = select_reviews(session, installation_id, repository=row.repo, pull_request=row.number)
            findings = [finding for review in reviews for finding in select_findings(session, review.id)]
        spoken = [comment for comment in row.comments if _is_remark(row, comment.user, comment.body)]
        here = [comment for comment in spoken if comment.original_commit_id == commit and comment.side == "RIGHT"]
        yield PullBacktest(
            pull_request=row.number,
            title=row.title,
            commit_sha=commit,
            state=reviews[-1].state if reviews else _NO_REVIEW,
            ours=tuple(
                Remark(
                    path=one.path,
                    line=one.line,
                    body=one.body,
                    author="Understudy",
                    evidence=_ask_git(mirror, commit, head, one.path, one.line),
                )
                for one in findings
            ),
            placed=sum(one.path in shown and one.line in shown[one.path].shown for one in findings),
            theirs=tuple(
                Remark(
                    path=one.path,
                    line=one.original_line,
                    body=one.body,
                    author=one.user,
                    evidence=_ask_git(mirror, commit, head, one.path, one.original_line),
                )
                for one in here
            ),
            later=len(spoken) - len(here),
        )


#: A version that the gate holds stays a candidate.
_NOT_PASSED = frozenset({AdapterState.REJECTED.value, AdapterState.CANDIDATE.value})


def let_refused_review(database: Engine, installation_id: int) -> str | None:
    """Where the gate refused or held all, let its newest candidate review, in this rehearsal's own registry and nowhere
    else: owners want to see what was refused. Returns its name, None when an adapter passed or there is none."""
    with writing(database) as session:
        pointer = load_pointer(session, installation_id)
        versions = select_adapter_versions(session, installation_id)
        refused = next((row.name for row in versions if row.state in _NOT_PASSED), None)
        if refused is None or (pointer is not None and pointer.adapter_name is not None):
            return None
        move_pointer(session, installation_id, refused)
    return refused


def _is_remark(row: ArchivedPullRequest, user: str, body: str) -> bool:
    """What the harvest would take for a reviewer's word."""
    return user != row.author and not decide_bot(user, "User") and decide_noise(body) is None


def _ask_git(mirror: Mirror, left: str, right: str, path: str, line: int) -> Evidence:
    changes = mirror.changes(left, right, path)
    return Evidence.UNKNOWN if changes is None else decide_by_distance(changes, first=line, last=line)
