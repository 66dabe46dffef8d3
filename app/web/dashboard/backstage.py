"""What the dashboard is handed: the database, GitHub's word on people, what may be started. It knows no workflow."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlmodel import Session

from app.github.policy_file import PolicyFile
from app.github.signing_in import SigningIn
from app.review.rates import AdapterRates


class Permission(Protocol):
    """admin, write, read or none, as GitHub says it now of a login that is still this user's."""

    def __call__(self, installation_id: int, repository: str, login: str, user_id: int | None) -> Awaitable[str]: ...


class Rates(Protocol):
    def __call__(
        self, session: Session, installation_id: int, repositories: Collection[str] | None
    ) -> tuple[AdapterRates, ...]: ...


@dataclass(frozen=True)
class Backstage:
    """Everything but `permission`, `policy`, `may_decide` and `now` blocks, called in threads. Ids of workflows
    are texts."""

    database: Callable[[], sa.Engine]
    permission: Permission
    #: (installation id, repository) → its policy file on the default branch now
    policy: Callable[[int, str], Awaitable[PolicyFile]]
    #: (installation id, repository) → whether its owners let anything be decided
    may_decide: Callable[[int, str], Awaitable[bool]]
    #: installation id → the time by its GitHub's clock, as its newest answer showed it
    now: Callable[[int], datetime]
    rates: Rates
    #: installation id → learning rounds that wait or run, as dicts of id, state and progress
    rounds: Callable[[int], list[dict[str, Any]]]
    #: id of a round → the same of one and whether it `is_running`, None when it is forgotten
    round: Callable[[str], dict[str, Any] | None]
    #: installation id → runs that failed, as dicts of id, name, error, created_at_seconds
    failures: Callable[[int], list[dict[str, Any]]]
    #: installation id → workflows that wait or run, by name
    waiting: Callable[[int], dict[str, int]]
    #: installation id → cron, None without a schedule
    schedule: Callable[[int], str | None]
    #: installation id → id of the round that was enqueued
    train: Callable[[int], str]
    cancel: Callable[[str], None]
    retry: Callable[[str], None]
    #: (installation id, adapter or None for the one before, who) → the adapter that reviews now
    restore: Callable[[int, str | None, str], str]
    #: (kind, name, installation id) → what would go
    preview_erasure: Callable[[str, str, int], dict[str, Any]]
    #: the same → ids of the workflows that were started
    erase: Callable[[str, str, int], list[str]]


@dataclass(frozen=True)
class Place:
    """Where the dashboard stands and whom it lets in. `github`: the address that links lead to. Without `signing_in`
    and `public_url` only the operator can sign in."""

    github: str
    operator_token: str
    public_url: str | None = None
    signing_in: SigningIn | None = None

    @property
    def is_secure(self) -> bool:
        return (self.public_url or "").startswith("https://")
