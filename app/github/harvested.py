"""What one harvest reads of a pull request, as our own records; only the fields we use, unknown ones ignored."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.domain.diff import Side
from app.github.policy_file import PolicyFile, read_policy


class Harvested(BaseModel):
    """GitHub may add fields at any time, so these records ignore what they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Account(Harvested):
    """`kind` is GitHub's type: User, Bot, Mannequin, EnterpriseUserAccount or Organization."""

    login: str
    kind: str = "User"


#: GitHub shows comments of deleted accounts under this name.
GHOST = Account(login="ghost")


class HarvestedComment(Harvested):
    comment_id: int
    author: Account
    body: str
    created_at: datetime
    diff_hunk: str
    #: Commit the comment was made on; None when GitHub no longer knows it.
    original_commit_sha: str | None
    reply_to_id: int | None = None
    is_minimized: bool = False
    #: When its words were last changed, and by whom; None while they are the first ones.
    edited_at: datetime | None = None
    editor: Account | None = None
    association: str = "NONE"
    #: By GitHub's names, kinds without any left out.
    reactions: dict[str, int] = {}

    @property
    def stands_since(self) -> datetime:
        """Since when its words are what they are."""
        return self.edited_at or self.created_at


class HarvestedThread(Harvested):
    """`comments[0]` is the root. Line numbers are those at the time of the comment; None on comments to a file."""

    node_id: str
    path: str
    side: Side
    original_line: int | None
    original_start_line: int | None
    is_file_comment: bool
    is_resolved: bool
    resolved_by: str | None = None
    is_outdated: bool = False
    comments: tuple[HarvestedComment, ...]

    @property
    def root(self) -> HarvestedComment:
        return self.comments[0]


class HarvestedReview(Harvested):
    author: Account
    association: str = "NONE"
    state: str
    commit_sha: str | None
    submitted_at: datetime | None


class HarvestedPull(Harvested):
    host: str
    repository_id: int
    repository: str
    number: int
    title: str
    body: str = ""
    #: When its body was last changed; None while it is the first one. Changes of the title stand in the timeline.
    edited_at: datetime | None = None
    author: Account
    created_at: datetime
    merged: bool
    merged_at: datetime | None = None
    #: When it was closed, merged or not; None while it is open.
    closed_at: datetime | None = None
    base_sha: str
    head_sha: str
    #: What the merge made of it on the base branch: a merge, the squashed commit, or the last of the rebased ones.
    merge_commit_sha: str | None = None
    labels: tuple[str, ...]
    reviews: tuple[HarvestedReview, ...]
    threads: tuple[HarvestedThread, ...]
    policy: PolicyFile = PolicyFile()


def parse_pull(host: str, repository: dict[str, Any], threads: list[dict[str, Any]]) -> HarvestedPull:
    """From the `repository` object of HarvestPullRequest, and the thread nodes of all its pages with all comments."""
    pull = repository["pullRequest"]
    return HarvestedPull(
        host=host,
        repository_id=repository["databaseId"],
        repository=repository["nameWithOwner"],
        number=pull["number"],
        title=pull["title"],
        body=pull["body"] or "",
        edited_at=pull["lastEditedAt"],
        author=_account(pull["author"]),
        created_at=pull["createdAt"],
        merged=pull["merged"],
        merged_at=pull["mergedAt"],
        closed_at=pull["closedAt"],
        base_sha=pull["baseRefOid"],
        head_sha=pull["headRefOid"],
        merge_commit_sha=_oid(pull["mergeCommit"]),
        labels=tuple(node["name"] for node in pull["labels"]["nodes"]),
        reviews=tuple(_review(node) for node in pull["reviews"]["nodes"]),
        threads=tuple(_thread(node) for node in threads if node["comments"]["nodes"]),
        policy=read_policy(repository["policy"]),
    )


def _account(node: dict[str, Any] | None) -> Account:
    return Account(login=node["login"], kind=node.get("__typename") or "User") if node else GHOST


def _oid(node: dict[str, Any] | None) -> str | None:
    return node["oid"] if node else None


def _review(node: dict[str, Any]) -> HarvestedReview:
    return HarvestedReview(
        author=_account(node["author"]),
        association=node["authorAssociation"],
        state=node["state"],
        commit_sha=_oid(node["commit"]),
        submitted_at=node["submittedAt"],
    )


def _thread(node: dict[str, Any]) -> HarvestedThread:
    return HarvestedThread(
        node_id=node["id"],
        path=node["path"],
        side=node["diffSide"],
        original_line=node["originalLine"],
        original_start_line=node["originalStartLine"],
        is_file_comment=node["subjectType"] == "FILE",
        is_resolved=node["isResolved"],
        resolved_by=_account(node["resolvedBy"]).login if node["resolvedBy"] else None,
        is_outdated=node["isOutdated"],
        comments=tuple(_comment(comment) for comment in node["comments"]["nodes"]),
    )


def _comment(node: dict[str, Any]) -> HarvestedComment:
    return HarvestedComment(
        comment_id=node["databaseId"],
        author=_account(node["author"]),
        body=node["body"],
        created_at=node["createdAt"],
        diff_hunk=node["diffHunk"] or "",
        original_commit_sha=_oid(node["originalCommit"]),
        reply_to_id=node["replyTo"]["databaseId"] if node["replyTo"] else None,
        is_minimized=node["isMinimized"],
        edited_at=node["lastEditedAt"],
        editor=_account(node["editor"]) if node["editor"] else None,
        association=node["authorAssociation"],
        reactions={
            group["content"]: group["reactors"]["totalCount"]
            for group in node["reactionGroups"] or ()
            if group["reactors"]["totalCount"]
        },
    )
