"""Pull requests, reviews, review comments, check runs and timeline entries."""

from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import association, user_json
from app.rehearsal.standin.render.repositories import label_json, repository_json
from app.rehearsal.standin.state import (
    CheckRun,
    Comment,
    Event,
    IssueComment,
    PullRequest,
    Reaction,
    Repository,
    Review,
    Thread,
    stamp,
)

_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def pull_json(base: str, repository: Repository, pull: PullRequest, *, repository_form: Json | None = None) -> Json:
    """The form of lists. `repository_form` replaces the repository inside head and base, as webhooks need."""
    html = f"{base}/{repository.full_name}/pull/{pull.number}"
    shown = repository_form or repository_json(base, repository)
    owner = repository.owner
    return {
        "id": pull.id,
        "node_id": pull.node_id,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "body": pull.body,
        "user": user_json(base, pull.author),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "draft": pull.draft,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at),
        "merged_at": stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "labels": [label_json(base, repository, label) for label in pull.labels],
        "author_association": association(repository, pull.author),
        "head": _side(base, owner.login, pull.head_ref, pull.head_sha, shown),
        "base": _side(base, owner.login, pull.base_ref, pull.base_sha, shown),
        **_addresses(base, repository, pull, html),
        **_UNUSED,
    }


_UNUSED: Json = {
    "assignee": None,
    "assignees": [],
    "requested_reviewers": [],
    "requested_teams": [],
    "milestone": None,
    "auto_merge": None,
    "active_lock_reason": None,
}


def full_pull_json(
    base: str, repository: Repository, pull: PullRequest, *, repository_form: Json | None = None
) -> Json:
    """The form of `GET pulls/{n}`: the list's, and what git has to be asked for."""
    changes = repository.git.pull_changes(pull.base_sha, pull.head_sha)
    opened = pull.state == "open"
    return pull_json(base, repository, pull, repository_form=repository_form) | {
        "merged": pull.merged_at is not None,
        "mergeable": True if opened else None,
        "rebaseable": True if opened else None,
        "mergeable_state": "clean" if opened else "unknown",
        "merged_by": user_json(base, pull.merged_by) if pull.merged_by else None,
        "comments": len(pull.conversation),
        "review_comments": len(pull.comments()),
        "maintainer_can_modify": False,
        "commits": len(repository.git.commits(pull.base_sha, pull.head_sha)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def _side(base: str, owner: str, ref: str, sha: str, shown: Json) -> Json:
    return {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": shown["owner"], "repo": shown}


def _addresses(base: str, repository: Repository, pull: PullRequest, html: str) -> Json:
    root = f"{base}/repos/{repository.full_name}"
    url = f"{root}/pulls/{pull.number}"
    addresses = {
        "url": url,
        "issue_url": f"{root}/issues/{pull.number}",
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{root}/pulls/comments{{/number}}",
        "comments_url": f"{root}/issues/{pull.number}/comments",
        "statuses_url": f"{root}/statuses/{pull.head_sha}",
    }
    named = {key.removesuffix("_url"): {"href": value} for key, value in addresses.items() if key != "url"}
    return addresses | {"_links": {"self": {"href": url}, "html": {"href": html}, **named}}


def review_json(base: str, repository: Repository, pull: PullRequest, review: Review) -> Json:
    url = f"{base}/repos/{repository.full_name}/pulls/{pull.number}"
    html = f"{base}/{repository.full_name}/pull/{pull.number}#pullrequestreview-{review.id}"
    shown: Json = {
        "id": review.id,
        "node_id": review.node_id,
        "user": user_json(base, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": association(repository, review.author),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": review.commit_sha,
    }
    return shown if review.submitted_at is None else shown | {"submitted_at": stamp(review.submitted_at)}


def comment_json(base: str, repository: Repository, pull: PullRequest, thread: Thread, comment: Comment) -> Json:
    """A review comment. `line` and `position` are where it stands now, None once it is outdated."""
    line = current_line(repository, pull, thread)
    start = None if thread.start_line is None or line is None else line - (thread.line - thread.start_line)
    fields = _comment_fields(base, repository, pull, comment) | {
        "path": thread.path,
        "commit_id": comment.commit_sha if line is None else pull.head_sha,
        "position": None if line is None else comment.original_position,
        "original_position": comment.original_position,
        "line": line,
        "original_line": thread.line,
        "side": thread.side,
        "start_line": start,
        "original_start_line": thread.start_line,
        "start_side": thread.start_side,
        "subject_type": "line",
    }
    return fields if comment.in_reply_to is None else fields | {"in_reply_to_id": comment.in_reply_to}


def _comment_fields(base: str, repository: Repository, pull: PullRequest, comment: Comment) -> Json:
    url = f"{base}/repos/{repository.full_name}/pulls/comments/{comment.id}"
    pull_url = f"{base}/repos/{repository.full_name}/pulls/{pull.number}"
    html = f"{base}/{repository.full_name}/pull/{pull.number}#discussion_r{comment.id}"
    return {
        "id": comment.id,
        "node_id": comment.node_id,
        "url": url,
        "pull_request_review_id": comment.review.id,
        "diff_hunk": comment.diff_hunk,
        "original_commit_id": comment.commit_sha,
        "user": user_json(base, comment.author),
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "html_url": html,
        "pull_request_url": pull_url,
        "author_association": association(repository, comment.author),
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": pull_url}},
        "reactions": _reactions_json(url, comment),
    }


def _reactions_json(url: str, comment: Comment | IssueComment) -> Json:
    counts = {name: comment.reactions[name] for name in _REACTIONS}
    return {"url": f"{url}/reactions", "total_count": sum(counts.values()), **counts}


def issue_comment_json(base: str, repository: Repository, pull: PullRequest, comment: IssueComment) -> Json:
    root = f"{base}/repos/{repository.full_name}/issues"
    return {
        "id": comment.id,
        "node_id": comment.node_id,
        "url": f"{root}/comments/{comment.id}",
        "html_url": f"{base}/{repository.full_name}/pull/{pull.number}#issuecomment-{comment.id}",
        "issue_url": f"{root}/{pull.number}",
        "user": user_json(base, comment.author),
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(repository, comment.author),
        "performed_via_github_app": None,
        "reactions": _reactions_json(f"{root}/comments/{comment.id}", comment),
    }


def issue_json(base: str, repository: Repository, pull: PullRequest) -> Json:
    """A pull request as an issue, which it is as well: what events of its conversation carry."""
    root = f"{base}/repos/{repository.full_name}"
    url, html = f"{root}/issues/{pull.number}", f"{base}/{repository.full_name}/pull/{pull.number}"
    names = ("labels", "comments", "events")
    return {
        "url": url,
        "repository_url": root,
        **{f"{name}_url": f"{url}/{name}" for name in names},
        "html_url": html,
        "id": pull.id + 1,
        "node_id": f"I_{pull.id}",
        "number": pull.number,
        "title": pull.title,
        "user": user_json(base, pull.author),
        "labels": [label_json(base, repository, label) for label in pull.labels],
        "state": pull.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(pull.conversation),
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at),
        "author_association": association(repository, pull.author),
        "active_lock_reason": None,
        "draft": pull.draft,
        "pull_request": {
            "url": f"{root}/pulls/{pull.number}",
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
        },
        "body": pull.body,
        "reactions": {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)},
    }


def reaction_json(base: str, comment: Comment | IssueComment, reaction: Reaction) -> Json:
    return {
        "id": reaction.id,
        "node_id": f"REA_{reaction.id}",
        "user": user_json(base, reaction.author),
        "content": reaction.content,
        "created_at": stamp(comment.updated_at),
    }


def current_line(repository: Repository, pull: PullRequest, thread: Thread) -> int | None:
    """Line of the head's diff that a thread stands on now; None, outdated, when the code under it changed since."""
    git, made_on = repository.git, thread.root.commit_sha
    if made_on == pull.head_sha:
        return thread.line
    if thread.side == "RIGHT":
        line = git.moved_line(thread.path, thread.line, made_on, pull.head_sha)
    else:
        line = thread.line if git.resolve(made_on) else None
    changes = git.pull_changes(pull.base_sha, pull.head_sha)
    shown = next((change for change in changes if change.path == thread.path), None)
    return line if line and shown and shown.diff.hunk_with(line, thread.side) else None


def check_run_json(base: str, repository: Repository, run: CheckRun, app: Json, pulls: list[PullRequest]) -> Json:
    url = f"{base}/repos/{repository.full_name}/check-runs/{run.id}"
    html = f"{base}/{repository.full_name}/runs/{run.id}"
    output = {"title": None, "summary": None, "text": None} | run.output
    return {
        "id": run.id,
        "name": run.name,
        "node_id": f"CR_{run.id}",
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": output | {"annotations_count": len(run.annotations), "annotations_url": f"{url}/annotations"},
        "check_suite": {"id": run.id + 1},
        "app": app,
        "pull_requests": [_minimal_pull(base, repository, pull) for pull in pulls],
    }


def _minimal_pull(base: str, repository: Repository, pull: PullRequest) -> Json:
    url = f"{base}/repos/{repository.full_name}"
    home = {"id": repository.id, "url": url, "name": repository.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{url}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": home},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": home},
    }


def event_json(base: str, repository: Repository, event: Event) -> Json:
    root = f"{base}/repos/{repository.full_name}"
    shown: Json = {
        "id": event.id,
        "node_id": f"EV_{event.id}",
        "url": f"{root}/issues/events/{event.id}",
        "actor": user_json(base, event.actor),
        "event": event.kind,
        "commit_id": event.commit_sha,
        "commit_url": f"{root}/commits/{event.commit_sha}" if event.commit_sha else None,
        "created_at": stamp(event.at),
        "performed_via_github_app": None,
    }
    if event.label is None:
        return shown
    return shown | {"label": {"name": event.label.name, "color": event.label.color}}
