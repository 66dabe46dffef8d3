"""Reviews: where their comments may stand, and what GitHub refuses. Never laxer than GitHub."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.domain.diff import Side
from app.domain.errors import UserError
from app.rehearsal.standin.anchors import Anchor, find_anchor, shows_path
from app.rehearsal.standin.answers import Refusal, unprocessable
from app.rehearsal.standin.git import FileChange
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import Comment, PullRequest, Repository, Review, ReviewState, Thread, User

BODY_LIMIT = 65_536
ReviewEvent = Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"]
_STATES: dict[ReviewEvent, ReviewState] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


class DraftComment(BaseModel):
    """One inline comment of a review to be made, as GitHub takes it; `position` is its older way to name a line."""

    model_config = ConfigDict(extra="ignore", strict=True)
    path: str
    body: str
    line: int | None = None
    side: Side = "RIGHT"
    start_line: int | None = None
    start_side: Side | None = None
    position: int | None = None


class DraftReview(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    commit_id: str | None = None
    body: str | None = None
    event: ReviewEvent | None = None
    comments: list[DraftComment] = []


class SubmittedEvent(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    body: str | None = None
    event: ReviewEvent


def anchor_for_person(
    repository: Repository,
    pull: PullRequest,
    *,
    path: str,
    line: int,
    side: Side,
    commit_sha: str,
    diff_hunk: str | None,
) -> Anchor:
    """Where a person's comment stands. A recorded comment brings its hunk, for its commit may be gone.

    Raises:
        UserError: when GitHub would not have let a person comment there.
    """
    if diff_hunk is not None:
        return Anchor(diff_hunk=diff_hunk, position=max(1, diff_hunk.count("\n")))
    if repository.git.resolve(commit_sha) is None:
        raise UserError(f"{repository.full_name}: expected a commit the repository has, got {commit_sha}")
    found = find_anchor(repository.git.pull_changes(pull.base_sha, commit_sha), path, line, side)
    if found is None:
        raise UserError(
            f"{repository.full_name}#{pull.number}: {path}:{line} ({side}) is not in the diff of {commit_sha}; "
            "a comment must stand on a line the diff shows"
        )
    return found


def anchor_of(thread: Thread) -> Anchor:
    return Anchor(diff_hunk=thread.root.diff_hunk, position=thread.root.original_position)


def create_review(site: Site, repository: Repository, pull: PullRequest, author: User, draft: DraftReview) -> Review:
    """Make a review with all its comments, or nothing at all. Without an event it stays pending.

    Raises:
        Refusal: 422 in GitHub's words.
    """
    commit_sha = _checked_commit(repository, pull, draft)
    _check_draft(pull, author, draft)
    changes = repository.git.pull_changes(pull.base_sha, commit_sha)
    placed = [_place(changes, comment) for comment in draft.comments]
    now = site.clock()
    review = Review(site.new_id(), author, "PENDING", draft.body or "", commit_sha, now)
    pull.reviews.append(review)
    for comment, (line, anchor) in zip(draft.comments, placed, strict=True):
        pull.threads.append(_thread(site, review, comment, line, anchor))
    if draft.event is not None:
        _publish(site, repository, pull, review, draft.event)
    return review


def submit_review(site: Site, repository: Repository, pull: PullRequest, review: Review, event: SubmittedEvent) -> None:
    """Publish a pending review.

    Raises:
        Refusal: 422 when it is not pending any more, or says nothing.
    """
    if review.state != "PENDING":
        raise unprocessable("Can not submit a review that is not pending")
    _check_body(event.body)
    body = review.body if event.body is None else event.body
    has_comments = any(comment.review is review for thread in pull.threads for comment in thread.comments)
    if event.event != "APPROVE" and not body.strip() and not has_comments:
        raise unprocessable("Review body can't be blank")
    _check_own(pull, review.author, event.event)
    review.body = body
    _publish(site, repository, pull, review, event.event)


def delete_review(pull: PullRequest, review: Review) -> None:
    """Throw away a pending review with its comments.

    Raises:
        Refusal: 422 when it was submitted.
    """
    if review.state != "PENDING":
        raise unprocessable("Can not delete a non-pending pull request review")
    pull.reviews.remove(review)
    pull.threads[:] = [thread for thread in pull.threads if thread.root.review is not review]


def _publish(site: Site, repository: Repository, pull: PullRequest, review: Review, event: ReviewEvent) -> None:
    review.state, review.submitted_at = _STATES[event], site.clock()
    pull.updated_at = review.submitted_at
    site.emit_review(repository, pull, review)


def _checked_commit(repository: Repository, pull: PullRequest, draft: DraftReview) -> str:
    """The commit reviewed. Comments on another one than the head could stand on lines that are gone: refused."""
    if draft.commit_id is None or draft.commit_id == pull.head_sha:
        return pull.head_sha
    if repository.git.resolve(draft.commit_id) is None:
        raise unprocessable(f"No commit found for SHA: {draft.commit_id}")
    known = {commit.sha for commit in repository.git.commits(pull.base_sha, pull.head_sha)}
    if draft.comments or draft.commit_id not in known:
        raise unprocessable("commit_id is not the head of the pull request")
    return draft.commit_id


def _check_draft(pull: PullRequest, author: User, draft: DraftReview) -> None:
    if any(review.state == "PENDING" and review.author is author for review in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    _check_body(draft.body)
    for comment in draft.comments:
        _check_body(comment.body)
        if not comment.body.strip():
            raise unprocessable("Body can't be blank")
    if draft.event in ("COMMENT", "REQUEST_CHANGES") and not (draft.body or "").strip():
        raise unprocessable("Review body can't be blank")
    if draft.event is not None:
        _check_own(pull, author, draft.event)


def _check_body(body: str | None) -> None:
    if body is not None and len(body) > BODY_LIMIT:
        raise unprocessable(f"Body is too long (maximum is {BODY_LIMIT} characters)")


def _check_own(pull: PullRequest, author: User, event: ReviewEvent) -> None:
    if pull.author is author and event != "COMMENT":
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Can not {verb} your own pull request")


def _place(changes: Sequence[FileChange], comment: DraftComment) -> tuple[int, Anchor]:
    if not shows_path(changes, comment.path):
        raise unprocessable("Path could not be resolved")
    if comment.line is None:
        raise unprocessable("Position could not be resolved") if comment.position else _no_line()
    found = find_anchor(changes, comment.path, comment.line, comment.side)
    if found is None:
        raise _no_line()
    if comment.start_line is not None:
        _check_range(changes, comment, comment.start_line, comment.line)
    return comment.line, found


def _check_range(changes: Sequence[FileChange], comment: DraftComment, start: int, line: int) -> None:
    """A range lies in one hunk and starts before it ends."""
    side = comment.start_side or comment.side
    if side == comment.side and start >= line:
        raise unprocessable("Start line must precede the end line.")
    diff = next(change.diff for change in changes if change.path == comment.path)
    if diff.hunk_with(start, side) is None:
        raise unprocessable("Start line could not be resolved")
    if diff.hunk_with(start, side) is not diff.hunk_with(line, comment.side):
        raise unprocessable("Start line must be part of the same hunk as the line.")


def _no_line() -> Refusal:
    return unprocessable("Line could not be resolved")


def _thread(site: Site, review: Review, draft: DraftComment, line: int, anchor: Anchor) -> Thread:
    start_side = None if draft.start_line is None else draft.start_side or draft.side
    comment = Comment(
        id=site.new_id(),
        review=review,
        author=review.author,
        body=draft.body,
        commit_sha=review.commit_sha,
        diff_hunk=anchor.diff_hunk,
        original_position=anchor.position,
        created_at=review.created_at,
        updated_at=review.created_at,
    )
    return Thread(site.new_id(), draft.path, line, draft.side, draft.start_line, start_side, [comment])
