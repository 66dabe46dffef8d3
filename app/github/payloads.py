"""Webhook payloads, as far as we read them: everything else is ignored, and what may be absent may be absent.

GitHub adds fields to payloads, GitHub Enterprise lacks some, and deliveries show real payloads that GitHub's own
schema refuses. So a model here asks only for what a decision cannot do without.
"""

import json
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from app.domain.errors import Refused


class _Tolerant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Part = TypeVar("Part", bound=_Tolerant)


def _none_if_odd(value: object) -> object:
    """A part that is no object, or one without an id, counts as absent: some events carry a summary there."""
    return value if isinstance(value, dict) and value.get("id", 0) is not None else None


class Account(_Tolerant):
    """A user, bot or organisation. `login` may be None where GitHub deleted the account ("ghost")."""

    id: int | None = None
    login: str | None = None
    type: str | None = None


OptionalAccount = Annotated[Account | None, BeforeValidator(_none_if_odd)]


class Repository(_Tolerant):
    id: int
    full_name: str
    owner: OptionalAccount = None


class Installation(_Tolerant):
    """The `installation` of an ordinary event has an id only; that of an installation event has the rest."""

    id: int
    account: OptionalAccount = None
    permissions: dict[str, str] | None = None
    suspended_at: datetime | None = None


class Label(_Tolerant):
    name: str
    id: int | None = None


class Commit(_Tolerant):
    """Head or base of a pull request."""

    sha: str
    ref: str | None = None


class PullRequest(_Tolerant):
    """`merged` is absent where a pull request is only mentioned; `merged_at` is there in both."""

    number: int
    id: int | None = None
    head: Commit
    base: Commit | None = None
    user: OptionalAccount = None
    draft: bool | None = None
    merged: bool | None = None
    merged_at: datetime | None = None
    state: str | None = None

    @property
    def is_merged(self) -> bool:
        return bool(self.merged) or self.merged_at is not None


class Review(_Tolerant):
    id: int
    state: str | None = None
    user: OptionalAccount = None
    commit_id: str | None = None


class ReviewComment(_Tolerant):
    id: int
    user: OptionalAccount = None
    commit_id: str | None = None
    in_reply_to_id: int | None = None


class Event(_Tolerant):
    """What most events share. An event that we do not act on is read as this."""

    action: str | None = None
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


class ReviewThreadEvent(Event):
    repository: Repository
    pull_request: PullRequest


class LabelEvent(Event):
    repository: Repository
    label: Label


class InstallationEvent(Event):
    installation: Installation


class RepositoryEvent(Event):
    repository: Repository


_EVENTS: dict[str, type[Event]] = {
    "pull_request": PullRequestEvent,
    "pull_request_review": ReviewEvent,
    "pull_request_review_comment": ReviewCommentEvent,
    "pull_request_review_thread": ReviewThreadEvent,
    "label": LabelEvent,
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
    if not isinstance(payload, dict):
        raise Refused("payload", f"expected a JSON object for a {name} event, got {type(payload).__name__}")
    try:
        return _EVENTS.get(name, Event).model_validate(payload)
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) + ": " + item["type"] for item in error.errors()})
        raise Refused(
            "payload", f"a {name} event lacks what we need: {', '.join(fields)}"
        ) from None  # its values stay out of logs
