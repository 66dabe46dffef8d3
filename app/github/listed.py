"""What GitHub lists about pull requests, repositories and limits, as our records. Pure."""

from datetime import UTC, datetime
from typing import Any, Literal

from app.github.harvested import Account, Harvested


class LabelEvent(Harvested):
    """Who put a label on a pull request or took it off, and when."""

    act: Literal["labeled", "unlabeled"]
    label: str
    actor: Account
    created_at: datetime


class RepositoryName(Harvested):
    id: int
    full_name: str


class MergedPull(Harvested):
    number: int
    head_sha: str


class MergedPage(Harvested):
    """`total` counts all merged pull requests; `cursor` is None after the last page."""

    total: int
    pulls: tuple[MergedPull, ...]
    cursor: str | None


class ListedPull(Harvested):
    """A pull request as lists show it. The first `head` of a draft is none of the App's business yet."""

    number: int
    state: Literal["open", "closed"]
    draft: bool
    head_sha: str
    labels: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None


class ListedPage(Harvested):
    """`pulls` is None when nothing changed since the `etag` that was asked with: that answer is free of the limit."""

    pulls: tuple[ListedPull, ...] | None
    etag: str | None
    has_more: bool


class RateLimit(Harvested):
    """One budget of requests, `core` for REST or `graphql`."""

    resource: str
    limit: int
    remaining: int
    resets_at: datetime


class Timeline(Harvested):
    """What happened on a pull request, as far as it bears on approvals; oldest first."""

    labels: tuple[LabelEvent, ...] = ()
    force_pushed_at: tuple[datetime, ...] = ()
    renamed_at: tuple[datetime, ...] = ()


class IssueComment(Harvested):
    """A comment on a pull request as a whole."""

    comment_id: int
    author: Account
    body: str


def parse_listed_pull(item: dict[str, Any]) -> ListedPull:
    return ListedPull(
        number=item["number"],
        state=item["state"],
        draft=bool(item.get("draft")),
        head_sha=item["head"]["sha"],
        labels=tuple(label["name"] for label in item["labels"]),
        created_at=item["created_at"],
        updated_at=item["updated_at"],
        merged_at=item["merged_at"],
    )


def read_moments(items: list[dict[str, Any]], event: str) -> tuple[datetime, ...]:
    found = (item["created_at"] for item in items if item.get("event") == event)
    return tuple(sorted(datetime.fromisoformat(moment) for moment in found))


def parse_rate_limit(name: str, shown: dict[str, int]) -> RateLimit:
    resets_at = datetime.fromtimestamp(shown["reset"], UTC)
    return RateLimit(resource=name, limit=shown["limit"], remaining=shown["remaining"], resets_at=resets_at)
