"""Webhook payloads, as far as we read them: everything else is ignored, and what may be absent may be absent.

GitHub adds fields to payloads, GitHub Enterprise lacks some, and deliveries show real payloads that GitHub's own
schema refuses. So a model here asks only for what a decision cannot do without.
"""

import json
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.domain.errors import Refused


def _without_nul(text: str) -> str:
    return text.replace("\0", "")


#: What a database column of ours can hold.
Id = Annotated[int, Field(gt=0, lt=2**63)]
Text = Annotated[str, AfterValidator(_without_nul)]


class _Tolerant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Part = TypeVar("Part", bound=_Tolerant)


def _none_if_odd(value: object) -> object:
    """A part that is no object, or one without an id, counts as absent: some events carry a summary there."""
    return value if isinstance(value, dict) and value.get("id", 0) is not None else None


class Account(_Tolerant):
    """A user, bot or organisation. `login` may be None where GitHub deleted the account ("ghost")."""

    id: Id | None = None
    login: Text | None = None
    type: Text | None = None


OptionalAccount = Annotated[Account | None, BeforeValidator(_none_if_odd)]


class Repository(_Tolerant):
    id: Id
    full_name: Text
    owner: OptionalAccount = None
    default_branch: Text | None = None


class Installation(_Tolerant):
    """The `installation` of an ordinary event has an id only; that of an installation event has the rest."""

    id: Id
    account: OptionalAccount = None
    permissions: dict[str, str] | None = None
    suspended_at: datetime | None = None


class Label(_Tolerant):
    name: Text
    id: Id | None = None


class Commit(_Tolerant):
    """Head or base of a pull request."""

    sha: Text
    ref: Text | None = None


class PullRequest(_Tolerant):
    """`merged` is absent where a pull request is only mentioned; `merged_at` is there in both."""

    number: Id
    id: Id | None = None
    head: Commit
    base: Commit | None = None
    user: OptionalAccount = None
    draft: bool | None = None
    merged: bool | None = None
    merged_at: datetime | None = None
    state: Text | None = None

    @property
    def is_merged(self) -> bool:
        return bool(self.merged) or self.merged_at is not None


class Review(_Tolerant):
    id: Id
    state: Text | None = None
    user: OptionalAccount = None
    commit_id: Text | None = None


class ReviewComment(_Tolerant):
    id: Id
    user: OptionalAccount = None
    commit_id: Text | None = None
    original_commit_id: Text | None = None
    in_reply_to_id: Id | None = None
    body: Text | None = None
    node_id: Text | None = None


class Event(_Tolerant):
    """What most events share. An event that we do not act on is read as this."""

    action: Text | None = None
    sender: OptionalAccount = None
    repository: Annotated[Repository | None, BeforeValidator(_none_if_odd)] = None
    installation: Annotated[Installation | None, BeforeValidator(_none_if_odd)] = None


class PullRequestEvent(Event):
    repository: Repository
    pull_request: PullRequest
    label: Label | None = None


class ReviewEvent(Event):
    repository: Repository
    pull_request: PullRequest
    review: Review


class ReviewCommentEvent(Event):
    repository: Repository
    pull_request: PullRequest
    comment: ReviewComment


class Issue(_Tolerant):
    """`pull_request` is there only where the issue is one."""

    number: Id
    pull_request: dict[str, Any] | None = None


class IssueComment(_Tolerant):
    id: Id
    user: OptionalAccount = None
    body: Text | None = None
    node_id: Text | None = None


class IssueCommentEvent(Event):
    """On an issue, or on a pull request as a whole."""

    repository: Repository
    issue: Issue
    comment: IssueComment


class Thread(_Tolerant):
    comments: tuple[ReviewComment, ...] = ()


class ReviewThreadEvent(Event):
    repository: Repository
    pull_request: PullRequest
    thread: Thread | None = None


class Renamed(_Tolerant):
    former: Text | None = Field(default=None, alias="from")


class LabelChanges(_Tolerant):
    name: Renamed | None = None


class LabelEvent(Event):
    """Of a repository's label itself, whatever carries it."""

    repository: Repository
    label: Label
    changes: LabelChanges | None = None

    @property
    def lost_name(self) -> str | None:
        """The name under which no pull request carries it any more; None when it has still the name it had."""
        if self.action == "deleted":
            return self.label.name
        renamed = None if self.action != "edited" or self.changes is None else self.changes.name
        return None if renamed is None else renamed.former


def _only_named(value: object) -> object:
    return [item for item in value if isinstance(item, dict) and item.get("id")] if isinstance(value, list) else ()


class InstallationEvent(Event):
    """Of the App's installation, or of the repositories it was given or lost."""

    installation: Installation
    repositories_removed: Annotated[tuple[Repository, ...], BeforeValidator(_only_named)] = ()


class RepositoryEvent(Event):
    repository: Repository


class PushEvent(Event):
    """A branch or tag moved. `after` is forty zeros where it is gone."""

    repository: Repository
    ref: Text
    after: Text

    @property
    def is_default_branch(self) -> bool:
        branch = self.repository.default_branch
        return branch is not None and self.ref == f"refs/heads/{branch}" and set(self.after) != {"0"}


_EVENTS: dict[str, type[Event]] = {
    "pull_request": PullRequestEvent,
    "pull_request_review": ReviewEvent,
    "pull_request_review_comment": ReviewCommentEvent,
    "pull_request_review_thread": ReviewThreadEvent,
    "issue_comment": IssueCommentEvent,
    "label": LabelEvent,
    "push": PushEvent,
    "installation": InstallationEvent,
    "installation_repositories": InstallationEvent,
    "repository": RepositoryEvent,
}

#: Events with a model of their own; the others are kept and not acted upon.
USED_EVENTS = frozenset(_EVENTS)


def parse_event(name: str, body: bytes) -> Event:
    """The payload of an event by its `X-GitHub-Event` name.

    Raises:
        Refused: `payload`, naming the fields that are missing or of another type, never their values.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("payload", f"expected the JSON of a {name} event, got something that is none") from None
    return parse_payload(name, payload)


def parse_payload(name: str, payload: object) -> Event:
    """The same for a payload that is parsed already."""
    if not isinstance(payload, dict):
        raise Refused("payload", f"expected a JSON object for a {name} event, got {type(payload).__name__}")
    try:
        return _EVENTS.get(name, Event).model_validate(payload)
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) + ": " + item["type"] for item in error.errors()})
        # Its values stay out of logs.
        raise Refused("payload", f"a {name} event lacks what we need: {', '.join(fields)}") from None
