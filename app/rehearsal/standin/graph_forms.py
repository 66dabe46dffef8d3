"""Records in GraphQL's form: dictionaries whose costly or paged fields are functions, called only when selected."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from graphql import GraphQLError

from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import association
from app.rehearsal.standin.render.pulls import current_line
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import (
    Comment,
    IssueComment,
    Label,
    PullRequest,
    Repository,
    Review,
    Thread,
    User,
    stamp,
)

_PAGE_LIMIT = 100
_CURSOR = "cursor:v2:"
_REACTIONS = {
    "THUMBS_UP": "+1",
    "THUMBS_DOWN": "-1",
    "LAUGH": "laugh",
    "HOORAY": "hooray",
    "CONFUSED": "confused",
    "HEART": "heart",
    "ROCKET": "rocket",
    "EYES": "eyes",
}
Page = int | str | None
Item = TypeVar("Item")


def connection(items: Sequence[Item], form: Callable[[Item], Json]) -> Callable[..., Json]:
    """A paged field. GitHub wants `first` or `last`, between 1 and 100."""

    def resolve(
        _info: object, first: int | None = None, last: int | None = None, after: str | None = None, **_: object
    ) -> Json:
        size = first if first is not None else last
        if size is None:
            raise GraphQLError("You must provide a `first` or `last` value to properly paginate the connection.")
        if not 1 <= size <= _PAGE_LIMIT:
            raise GraphQLError(f"Requesting {size} records exceeds the `first` limit of {_PAGE_LIMIT} records.")
        start = _after(after) if first is not None else max(0, len(items) - size)
        shown = items[start : start + size]
        end = start + len(shown)
        info = {
            "hasNextPage": end < len(items),
            "hasPreviousPage": start > 0,
            "startCursor": f"{_CURSOR}{start + 1}" if shown else None,
            "endCursor": f"{_CURSOR}{end}" if shown else None,
        }
        return {"totalCount": len(items), "pageInfo": info, "nodes": [form(item) for item in shown]}

    return resolve


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix(_CURSOR)
    if not number.isdigit():
        raise GraphQLError(f"`{cursor}` does not appear to be a valid cursor.")
    return int(number)


def actor_form(site: Site, user: User | None) -> Json | None:
    if user is None:
        return None
    return {
        "__typename": user.kind,
        "id": user.node_id,
        "databaseId": user.id,
        "login": user.graphql_login,
        "url": f"{site.base_url}/{user.graphql_login}",
    }


def repository_form(site: Site, repository: Repository) -> Json:
    def pull_request(_info: object, number: int) -> Json:
        pull = repository.pulls.get(number)
        if pull is None:
            raise NotFoundError(f"Could not resolve to a PullRequest with the number of {number}.")
        return pull_form(site, repository, pull)

    def pull_requests(
        info: object,
        states: list[str] | None = None,
        orderBy: Json | None = None,  # noqa: N803 (GitHub's name)
        **page: Page,
    ) -> Json:
        chosen = [pull for pull in repository.pulls.values() if states is None or _state(pull) in states]
        order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
        by_update = order["field"] == "UPDATED_AT"
        chosen.sort(key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number))
        if order["direction"] == "DESC":
            chosen.reverse()
        return connection(chosen, lambda pull: pull_form(site, repository, pull))(info, **page)

    return {
        "__typename": "Repository",
        "id": repository.node_id,
        "databaseId": repository.id,
        "name": repository.name,
        "nameWithOwner": repository.full_name,
        "isPrivate": repository.private,
        "url": f"{site.base_url}/{repository.full_name}",
        "object": lambda _info, **given: object_form(repository, **given),
        "pullRequest": pull_request,
        "pullRequests": pull_requests,
    }


def object_form(repository: Repository, expression: str | None = None, oid: str | None = None) -> Json | None:
    """What a revision names: a file as `branch:path`, else a commit; HEAD is the default branch. None for nothing."""
    asked = expression or oid or ""
    branch, colon, path = asked.partition(":")
    revision = f"refs/heads/{repository.default_branch}" if branch == "HEAD" else branch
    if not colon:
        return _commit(repository.git.resolve(revision))
    found = repository.git.blob(f"{revision}:{path}")
    if found is None:
        return None
    sha, content = found
    binary = b"\0" in content[:8_000]
    return {
        "__typename": "Blob",
        "id": f"B_{sha}",
        "oid": sha,
        "byteSize": len(content),
        "isBinary": binary,
        "text": None if binary else content.decode(errors="replace"),
    }


class NotFoundError(GraphQLError):
    """GitHub's NOT_FOUND."""


def _state(pull: PullRequest) -> str:
    return "MERGED" if pull.merged_at else pull.state.upper()


def pull_form(site: Site, repository: Repository, pull: PullRequest) -> Json:
    def changes(_info: object) -> int:
        return len(repository.git.pull_changes(pull.base_sha, pull.head_sha))

    def total(field: str) -> Callable[[object], int]:
        files = repository.git.pull_changes
        return lambda _info: sum(getattr(one, field) for one in files(pull.base_sha, pull.head_sha))

    return {
        "__typename": "PullRequest",
        "id": pull.node_id,
        "databaseId": pull.id,
        "number": pull.number,
        "title": pull.title,
        "body": pull.body or "",
        "state": _state(pull),
        "isDraft": pull.draft,
        "createdAt": stamp(pull.created_at),
        "updatedAt": stamp(pull.updated_at),
        "closedAt": stamp(pull.closed_at),
        "lastEditedAt": stamp(pull.edited_at),
        "mergedAt": stamp(pull.merged_at),
        "merged": pull.merged_at is not None,
        "mergedBy": actor_form(site, pull.merged_by),
        "mergeCommit": _commit(pull.merge_commit_sha),
        "baseRefName": pull.base_ref,
        "baseRefOid": pull.base_sha,
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "url": f"{site.base_url}/{repository.full_name}/pull/{pull.number}",
        "author": actor_form(site, pull.author),
        "repository": lambda _info: repository_form(site, repository),
        "changedFiles": changes,
        "additions": total("additions"),
        "deletions": total("deletions"),
        "labels": connection(pull.labels, _label),
        "reviews": _reviews(site, repository, pull),
        "reviewThreads": connection(pull.visible_threads(), lambda thread: thread_form(site, repository, pull, thread)),
    }


def _reviews(site: Site, repository: Repository, pull: PullRequest) -> Callable[..., Json]:
    def resolve(info: object, states: list[str] | None = None, author: str | None = None, **page: Page) -> Json:
        chosen = [
            review
            for review in pull.reviews
            if (review.state != "PENDING" or review.author is site.bot)
            and (states is None or review.state in states)
            and author in (None, review.author.graphql_login)
        ]
        return connection(chosen, lambda review: _review(site, repository, review))(info, **page)

    return resolve


def _review(site: Site, repository: Repository, review: Review) -> Json:
    return {
        "__typename": "PullRequestReview",
        "id": review.node_id,
        "databaseId": review.id,
        "fullDatabaseId": str(review.id),
        "author": actor_form(site, review.author),
        "authorAssociation": association(repository, review.author),
        "body": review.body,
        "state": review.state,
        "commit": _commit(review.commit_sha),
        "createdAt": stamp(review.created_at),
        "submittedAt": stamp(review.submitted_at),
    }


def _label(label: Label) -> Json:
    return {
        "__typename": "Label",
        "id": f"LA_{label.id}",
        "name": label.name,
        "color": label.color,
        "description": label.description,
    }


def _commit(sha: str | None) -> Json | None:
    return None if sha is None else {"__typename": "Commit", "id": f"C_{sha}", "oid": sha}


def thread_form(site: Site, repository: Repository, pull: PullRequest, thread: Thread) -> Json:
    line = current_line(repository, pull, thread)
    comments = [comment for comment in thread.comments if comment.review.state != "PENDING"]
    return {
        "__typename": "PullRequestReviewThread",
        "id": thread.node_id,
        "isResolved": thread.resolved_by is not None,
        "resolvedBy": actor_form(site, thread.resolved_by),
        "isOutdated": line is None,
        "path": thread.path,
        "diffSide": thread.side,
        "startDiffSide": thread.start_side,
        "subjectType": "LINE",
        **_places(thread, line),
        "pullRequest": lambda _info: pull_form(site, repository, pull),
        "repository": lambda _info: repository_form(site, repository),
        "comments": connection(comments, lambda comment: comment_form(site, repository, pull, thread, comment)),
    }


def _places(thread: Thread, line: int | None) -> Json:
    start = None if line is None or thread.start_line is None else line - (thread.line - thread.start_line)
    return {
        "line": line,
        "startLine": start,
        "originalLine": thread.line,
        "originalStartLine": thread.start_line,
    }


def comment_form(site: Site, repository: Repository, pull: PullRequest, thread: Thread, comment: Comment) -> Json:
    def reply_to(_info: object) -> Json | None:
        return None if comment.in_reply_to is None else comment_form(site, repository, pull, thread, thread.root)

    line = current_line(repository, pull, thread)
    return {
        "__typename": "PullRequestReviewComment",
        "id": comment.node_id,
        "databaseId": comment.id,
        "fullDatabaseId": str(comment.id),
        "body": comment.body,
        "path": thread.path,
        "author": actor_form(site, comment.author),
        "authorAssociation": association(repository, comment.author),
        "createdAt": stamp(comment.created_at),
        "updatedAt": stamp(comment.updated_at),
        "lastEditedAt": stamp(comment.edited_at),
        "editor": actor_form(site, comment.editor),
        "diffHunk": comment.diff_hunk,
        "originalCommit": _commit(comment.commit_sha),
        "commit": _commit(pull.head_sha if line else comment.commit_sha),
        "outdated": line is None,
        **_places(thread, line),
        "isMinimized": comment.minimized,
        "minimizedReason": "resolved" if comment.minimized else None,
        "replyTo": reply_to,
        "pullRequest": lambda _info: pull_form(site, repository, pull),
        "pullRequestReview": lambda _info: _review(site, repository, comment.review),
        "reactionGroups": [
            {"content": content, "reactors": _reactors(comment.reactions[name])} for content, name in _REACTIONS.items()
        ],
        "url": f"{site.base_url}/{repository.full_name}/pull/{pull.number}#discussion_r{comment.id}",
    }


def remark_form(site: Site, repository: Repository, pull: PullRequest, comment: IssueComment) -> Json:
    return {
        "__typename": "IssueComment",
        "id": comment.node_id,
        "databaseId": comment.id,
        "body": comment.body,
        "author": actor_form(site, comment.author),
        "authorAssociation": association(repository, comment.author),
        "createdAt": stamp(comment.created_at),
        "lastEditedAt": stamp(comment.edited_at),
        "editor": actor_form(site, comment.editor),
        "isMinimized": False,
        "pullRequest": lambda _info: pull_form(site, repository, pull),
        "url": f"{site.base_url}/{repository.full_name}/pull/{pull.number}#issuecomment-{comment.id}",
    }


def _reactors(count: int) -> Callable[..., Json]:
    return lambda _info, **_page: {"totalCount": count}
