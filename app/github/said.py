"""One comment as GitHub shows it now, on a line or on a pull request as a whole."""

from datetime import datetime
from typing import Any

from app.github.harvested import GHOST, Account, Harvested


class Said(Harvested):
    """`root_id`: the first comment of its thread, None on the pull request as a whole. `diff_hunk`: the thread's."""

    comment_id: int
    node_id: str
    root_id: int | None
    body: str
    author: Account
    association: str
    #: another person who changed its words, None when only the author did
    editor: Account | None
    created_at: datetime
    stands_since: datetime
    is_minimized: bool
    diff_hunk: str = ""
    repository: str
    repository_id: int
    number: int
    head_sha: str
    is_open: bool
    is_draft: bool


class ListedComment(Harvested):
    """A comment as a list of the whole repository shows it."""

    node_id: str
    author: Account
    body: str
    number: int
    is_on_line: bool


class Reacted(Harvested):
    """`content` is REST's name of a reaction: +1, -1, laugh, confused, heart, hooray, rocket or eyes."""

    author: Account
    content: str


def parse_reacted(item: dict[str, Any]) -> Reacted:
    user = item.get("user")
    account = Account(login=user["login"], kind=user["type"]) if user else GHOST
    return Reacted(author=account, content=item["content"])


def parse_said(node_id: str, node: dict[str, Any] | None) -> Said | None:
    """From `node` of SAID_COMMENT; None for what is no comment on a pull request, or is gone."""
    pull = (node or {}).get("pullRequest") or (node or {}).get("onWhole")  # two kinds of field, so two names
    if node is None or pull is None:
        return None
    author = _account(node["author"])
    editor = None if node["editor"] is None else _account(node["editor"])
    is_on_line = node["__typename"] == "PullRequestReviewComment"
    first = node.get("replyTo")
    return Said(
        comment_id=node["databaseId"],
        node_id=node_id,
        root_id=(first["databaseId"] if first else node["databaseId"]) if is_on_line else None,
        body=node["body"],
        author=author,
        association=node["authorAssociation"],
        editor=editor if editor is not None and editor.login != author.login else None,
        created_at=node["createdAt"],
        stands_since=node["lastEditedAt"] or node["createdAt"],
        is_minimized=node["isMinimized"],
        diff_hunk=node.get("diffHunk") or "",
        repository=pull["repository"]["nameWithOwner"],
        repository_id=pull["repository"]["databaseId"],
        number=pull["number"],
        head_sha=pull["headRefOid"],
        is_open=pull["state"] == "OPEN",
        is_draft=pull["isDraft"],
    )


def parse_listed_comment(item: dict[str, Any]) -> ListedComment:
    user = item.get("user")
    return ListedComment(
        node_id=item["node_id"],
        author=Account(login=user["login"], kind=user["type"]) if user else GHOST,
        body=item.get("body") or "",
        number=int((item.get("pull_request_url") or item.get("issue_url") or "").rsplit("/", 1)[1]),
        is_on_line="pull_request_review_id" in item,
    )


def _account(node: dict[str, Any] | None) -> Account:
    return Account(login=node["login"], kind=node["__typename"]) if node else GHOST
