"""What the stand-in GitHub remembers. Mutable on purpose: a server's state, guarded by the one lock of `StandIn`."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from app.domain.diff import Side
from app.rehearsal.standin.git import BareRepository

Permission = Literal["admin", "maintain", "write", "triage", "read"]
UserKind = Literal["User", "Bot", "Organization"]
ReviewState = Literal["PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED"]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime | None) -> str | None:
    """GitHub's spelling of a moment: UTC, whole seconds, `Z`."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class User:
    id: int
    login: str
    kind: UserKind = "User"

    @property
    def node_id(self) -> str:
        return f"{'BOT' if self.kind == 'Bot' else 'U'}_{self.id}"

    @property
    def graphql_login(self) -> str:
        """GraphQL names a bot without the `[bot]` that REST appends."""
        return self.login.removesuffix("[bot]")


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass
class Event:
    """One entry of a pull request's timeline; `kind` is GitHub's name of it, e.g. `labeled`."""

    id: int
    kind: str
    actor: User
    at: datetime
    label: Label | None = None
    commit_sha: str | None = None
    review_id: int | None = None


@dataclass
class Review:
    id: int
    author: User
    state: ReviewState
    body: str
    commit_sha: str
    created_at: datetime
    submitted_at: datetime | None = None

    @property
    def node_id(self) -> str:
        return f"PRR_{self.id}"


@dataclass(frozen=True)
class Reaction:
    """One of a person's. `content` is REST's name for it."""

    id: int
    author: User
    content: str


@dataclass
class Comment:
    """A review comment. `commit_sha`, `line` and `diff_hunk` are those of the moment it was written, for ever."""

    id: int
    review: Review
    author: User
    body: str
    commit_sha: str
    diff_hunk: str
    original_position: int
    created_at: datetime
    updated_at: datetime
    in_reply_to: int | None = None
    minimized: bool = False
    edited_at: datetime | None = None
    editor: User | None = None
    reactions: Counter[str] = field(default_factory=Counter)
    #: those of the App among them: one of a kind, however often it asks
    own_reactions: dict[str, int] = field(default_factory=dict)
    #: those of people among them
    reacted: list[Reaction] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        return f"PRRC_{self.id}"


@dataclass
class IssueComment:
    """A comment on a pull request as a whole."""

    id: int
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    edited_at: datetime | None = None
    editor: User | None = None
    reactions: Counter[str] = field(default_factory=Counter)
    own_reactions: dict[str, int] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        return f"IC_{self.id}"


@dataclass
class Thread:
    id: int
    path: str
    line: int
    side: Side
    start_line: int | None
    start_side: Side | None
    comments: list[Comment]
    resolved_by: User | None = None

    @property
    def node_id(self) -> str:
        return f"PRRT_{self.id}"

    @property
    def root(self) -> Comment:
        return self.comments[0]


@dataclass
class PullRequest:
    id: int
    number: int
    author: User
    title: str
    body: str | None
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    edited_at: datetime | None = None
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    labels: list[Label] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    conversation: list[IssueComment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        return f"PR_{self.id}"

    @property
    def state(self) -> Literal["open", "closed"]:
        return "open" if self.closed_at is None else "closed"

    def comments(self, *, pending: bool = False) -> list[tuple[Thread, Comment]]:
        """Comments in order of their ids; those of a review that is not submitted yet only when asked for."""
        rows = [(thread, comment) for thread in self.threads for comment in thread.comments]
        shown = [row for row in rows if pending or row[1].review.state != "PENDING"]
        return sorted(shown, key=lambda row: row[1].id)

    def visible_threads(self) -> list[Thread]:
        return [thread for thread in self.threads if thread.root.review.state != "PENDING"]


@dataclass
class CheckRun:
    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    external_id: str
    details_url: str | None
    started_at: datetime | None
    completed_at: datetime | None
    output: dict[str, Any]
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Repository:
    id: int
    full_name: str
    owner: User
    git: BareRepository
    default_branch: str
    created_at: datetime
    private: bool = False
    installed: bool = True
    collaborators: dict[str, Permission] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.full_name.split("/", 1)[1]

    @property
    def node_id(self) -> str:
        return f"R_{self.id}"


@dataclass(frozen=True)
class Grant:
    """What one installation token allows until `expires_at`. `repository_ids` None means every installed one."""

    token: str
    expires_at: datetime
    permissions: dict[str, str]
    repository_ids: frozenset[int] | None


@dataclass(frozen=True)
class Exchange:
    """What went over the wire for one REST or GraphQL request, for tests that judge every answer."""

    method: str
    path: str
    status: int
    content: bytes


@dataclass(frozen=True)
class RequestRecord:
    """One request the stand-in answered. `route` is the template, `git` for a fetch over smart HTTP."""

    method: str
    route: str
    path: str
    status: int
    pull_request: int | None
    at: datetime
