"""Which threads are Examples, by what GitHub says of them."""

from typing import Any

import pytest

from app.github.harvested import parse_pull
from app.harvest.threads import decide_lines, decide_rejection, parse_shown

_COMMENT: dict[str, Any] = {
    "databaseId": 1,
    "id": "C_1",
    "body": "Please close the file.",
    "createdAt": "2026-01-05T09:00:00Z",
    "lastEditedAt": None,
    "author": {"login": "mara", "__typename": "User"},
    "editor": None,
    "authorAssociation": "MEMBER",
    "diffHunk": "@@ -1,1 +1,2 @@\n one\n+two",
    "originalCommit": {"oid": "a" * 40},
    "commit": None,
    "replyTo": None,
    "isMinimized": False,
    "reactionGroups": [],
}
_THREAD: dict[str, Any] = {
    "id": "T_1",
    "isResolved": False,
    "resolvedBy": None,
    "isOutdated": False,
    "path": "f.py",
    "line": None,
    "originalLine": 2,
    "startLine": None,
    "originalStartLine": None,
    "diffSide": "RIGHT",
    "subjectType": "LINE",
}
_APPROVAL = {"author": None, "authorAssociation": "NONE", "state": "APPROVED", "submittedAt": None, "commit": None}
_PULL: dict[str, Any] = {
    "number": 7,
    "title": "Work",
    "body": None,
    "lastEditedAt": None,
    "createdAt": "2026-01-05T08:00:00Z",
    "closedAt": None,
    "mergedAt": None,
    "merged": True,
    "baseRefOid": "b" * 40,
    "headRefOid": "c" * 40,
    "mergeCommit": None,
    "author": None,
    "labels": {"nodes": [{"name": "understudy:approve"}]},
    "reviews": {"nodes": [_APPROVAL]},
}


def a_thread(comment: dict[str, Any] | None = None, **more: Any) -> Any:
    """As the query answers, read by our parser; a plain comment unless told otherwise."""
    comments = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [_COMMENT | (comment or {})]}
    node = _THREAD | {"comments": comments} | more
    repository = {"databaseId": 5, "nameWithOwner": "acme/store", "policy": None, "pullRequest": _PULL}
    return parse_pull("github.test", repository, [node]).threads[0]


def test_a_plain_comment_is_an_example() -> None:
    assert decide_rejection(a_thread(), "dev") is None


@pytest.mark.parametrize(
    ("thread", "reason"),
    [
        (a_thread({"replyTo": {"databaseId": 9}}), "reply"),
        (a_thread({"author": {"login": "scanner", "__typename": "Bot"}}), "bot"),
        (a_thread({"author": {"login": "dev", "__typename": "User"}}), "self_comment"),
        (a_thread(subjectType="FILE", originalLine=None), "no_line"),
        (a_thread(path="web/package-lock.json"), "unread_path"),
        (a_thread({"body": "Nice!"}), "praise"),
    ],
)
def test_rejections(thread: Any, reason: str) -> None:
    noise = decide_rejection(thread, "dev")
    assert noise is not None
    assert noise.reason == reason


def test_a_deleted_account_is_a_person() -> None:
    thread = a_thread({"author": None})
    assert thread.root.author.login == "ghost"
    assert decide_rejection(thread, "dev") is None


def test_lines_come_from_github_else_from_the_hunk() -> None:
    thread = a_thread(originalStartLine=1)
    assert decide_lines(thread, parse_shown(thread)) == (1, 2, "RIGHT")
    silent = a_thread(originalLine=None)
    assert decide_lines(silent, parse_shown(silent)) == (2, 2, "RIGHT")
    assert decide_lines(a_thread({"diffHunk": ""}, originalLine=None), None) is None
