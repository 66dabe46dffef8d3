"""Webhook payloads. They differ from REST answers in small ways that the published schemas fix."""

from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import user_json
from app.rehearsal.standin.render.pulls import (
    comment_json,
    full_pull_json,
    issue_comment_json,
    issue_json,
    pull_json,
    review_json,
)
from app.rehearsal.standin.render.repositories import webhook_repository_json
from app.rehearsal.standin.state import Comment, IssueComment, PullRequest, Repository, Review, Thread, User


def pull_payload(base: str, repository: Repository, pull: PullRequest, action: str, **more: object) -> Json:
    form = webhook_repository_json(base, repository)
    shown = full_pull_json(base, repository, pull, repository_form=form)
    return {"action": action, "number": pull.number, "pull_request": shown, **more}


def push_payload(base: str, repository: Repository, before: str, after: str, pusher: User) -> Json:
    """Of the default branch. The commits themselves are left out: who needs them asks git."""
    branch, html = repository.default_branch, f"{base}/{repository.full_name}"
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{html}/compare/{before[:12]}...{after[:12]}",
        "commits": [],
        "head_commit": None,
        "pusher": {"name": pusher.login, "email": f"{pusher.login}@users.noreply.invalid"},
    }


def review_payload(base: str, repository: Repository, pull: PullRequest, review: Review, action: str) -> Json:
    shown = review_json(base, repository, pull, review)
    shown |= {"state": review.state.lower(), "body": review.body or None}
    return {"action": action, "review": shown, "pull_request": _simple_pull(base, repository, pull)}


def comment_payload(
    base: str,
    repository: Repository,
    pull: PullRequest,
    thread: Thread,
    comment: Comment,
    *,
    action: str = "created",
    **more: object,
) -> Json:
    return {
        "action": action,
        **more,
        "comment": comment_json(base, repository, pull, thread, comment),
        "pull_request": _simple_pull(base, repository, pull),
    }


def remark_payload(
    base: str, repository: Repository, pull: PullRequest, comment: IssueComment, *, action: str, **more: object
) -> Json:
    shown = issue_comment_json(base, repository, pull, comment)
    return {"action": action, **more, "issue": issue_json(base, repository, pull), "comment": shown}


def thread_payload(base: str, repository: Repository, pull: PullRequest, thread: Thread, action: str) -> Json:
    comments = [comment_json(base, repository, pull, thread, comment) for comment in thread.comments]
    return {
        "action": action,
        "thread": {"node_id": thread.node_id, "comments": comments},
        "pull_request": _simple_pull(base, repository, pull),
    }


def envelope(base: str, repository: Repository, sender: User, installation_id: int) -> Json:
    """The fields that every repository's event carries beside its own."""
    return {
        "repository": webhook_repository_json(base, repository),
        "installation": {"id": installation_id, "node_id": f"I_{installation_id}"},
        "sender": user_json(base, sender),
    }


def _simple_pull(base: str, repository: Repository, pull: PullRequest) -> Json:
    return pull_json(base, repository, pull, repository_form=webhook_repository_json(base, repository))
