"""Every table of ours but the dashboard's (`web_tables`) and retrieval's (`reference_tables`). The prefix `us_` keeps
them apart from the job engine's, which share the database.

Rows of a tenant carry `installation_id`, and no query hands them out without it. JSON columns named `payload` and
`manifest` hold `model_dump(mode="json")` of a Record in app.domain, which stays the source of truth for its shape.
"""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.store.columns import BIG, Json, UtcDateTime, utc_now


class DeliveryRow(SQLModel, table=True):
    """A webhook exactly as it came. `guid` is `<host>:<X-GitHub-Delivery>`; `outcome` stays None until handled."""

    __tablename__: ClassVar[str] = "us_delivery"
    #: counted by a page, which must not read the bodies for that
    __table_args__ = (Index("ix_us_delivery_tenant", "installation_id", "outcome"),)

    guid: str = Field(primary_key=True)
    event: str = Field(index=True)
    action: str | None = None
    installation_id: int | None = Field(default=None, sa_type=BIG, index=True)
    body: bytes = Field(sa_type=LargeBinary)
    headers: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    received_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime, index=True)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, index=True)


class InstallationRow(SQLModel, table=True):
    """A tenant. `state` is active, suspended or deleted; `permissions` are those the owner accepted."""

    __tablename__: ClassVar[str] = "us_installation"

    id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    host: str
    account: str
    state: str = "active"
    permissions: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class RepositoryRow(SQLModel, table=True):
    """A repository of an installation, what the sweep saw of it, and how far its backfill is.

    `backfill` is the run that lists it or did, None before the first; `listed` counts merged pull requests on the pages
    so far, `total` all that GitHub knows, `done_before` those that were harvested when the run began.
    `seen_head` is the newest commit of the default branch whose policy we read, `history_head` the one up to which its
    history is recorded, None while the policy does not let us, `indexed_head` the one whose documentation was read.
    """

    __tablename__: ClassVar[str] = "us_repository"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    full_name: str
    watched_since: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    swept_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    etag: str | None = None
    backfill: str | None = None
    total: int = 0
    listed: int = 0
    done_before: int = 0
    backfill_began_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    backfill_listed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_head: str | None = None
    history_head: str | None = None
    indexed_head: str | None = None
    #: one of app.domain.onboarding.Onboarding, None before it was looked at, and the number of our pull request
    onboarding: str | None = None
    onboarding_pull: int | None = None


class HarvestedRow(SQLModel, table=True):
    """A merged pull request that was harvested, and at which head. `author` is the key of who opened it, no name."""

    __tablename__: ClassVar[str] = "us_harvested"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    pull_request: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    repository: str
    head_sha: str
    author: str
    #: what its merge made on the base branch; None where it was harvested before this was kept
    merge_commit_sha: str | None = None
    harvested_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ErasureRow(SQLModel, table=True):
    """What was asked to be forgotten. `kind` is one of app.domain.erasure.ErasureKind.

    `subject` says it in clear until it is done and is empty from then on; `subject_key` stays, so that a later harvest
    does not bring back what was erased. `lifted_at`: it may be learned from again.
    """

    __tablename__: ClassVar[str] = "us_erasure"

    id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG, index=True)
    kind: str
    subject: str = Field(sa_type=Text)
    subject_key: str
    reason: str
    requested_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class ExampleRow(SQLModel, table=True):
    """An Example or WrittenExample, addressed by its content hash. `source` says what found it: harvest, description,
    history, import, rehearsal. `pull_request` is None for history that no pull request is known for; `signals` is what
    may change while the content stays: resolved, reactions, replies."""

    __tablename__: ClassVar[str] = "us_example"
    __table_args__ = (Index("ix_us_example_pull", "installation_id", "repository", "pull_request"),)

    hash: str = Field(primary_key=True)
    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str
    pull_request: int | None = None
    kind: str
    comment_id: int | None = Field(default=None, sa_type=BIG)
    evidence: str | None = None
    weight: float
    payload: dict[str, Any] = Field(sa_type=Json)
    signals: dict[str, Any] = Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"server_default": "{}"})
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    source: str


class RejectionRow(SQLModel, table=True):
    """A thread that is no Example; `id` is `<host>:<repository id>:<comment id>`."""

    __tablename__: ClassVar[str] = "us_rejection"
    __table_args__ = (Index("ix_us_rejection_pull", "installation_id", "repository", "pull_request"),)

    id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG)
    repository: str
    pull_request: int
    reason: str
    payload: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ApprovalRow(SQLModel, table=True):
    """One decision about one Example, never changed: the newest row of an Example is in force.

    `decision` is approve, reject or void; `content_hash` is what the person saw.
    """

    __tablename__: ClassVar[str] = "us_approval"
    __table_args__ = (
        Index("ix_us_approval_example", "installation_id", "example_hash", "id"),
        Index("ix_us_approval_pull", "installation_id", "repository", "pull_request", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    example_hash: str
    installation_id: int = Field(sa_type=BIG)
    repository: str
    pull_request: int
    decision: str
    actor: str
    actor_role: str
    source: str
    content_hash: str
    #: the same act told twice (a step run again after a crash) is one row
    idempotency_key: str = Field(unique=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class AuditRow(SQLModel, table=True):
    """Who did what to what. Append-only. `installation_id` is None where it is about none, and in rows from before it
    was kept, when there was one GitHub only."""

    __tablename__: ClassVar[str] = "us_audit"
    __table_args__ = (Index("ix_us_audit_subject", "subject", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG)
    installation_id: int | None = Field(default=None, sa_type=BIG)
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime, index=True)
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    idempotency_key: str = Field(unique=True)


class SnapshotRow(SQLModel, table=True):
    """A DatasetSnapshot folder and a copy of its manifest. `id` is `ds1:…`. Once `erased_at` is set the folder is gone:
    something in it had to be forgotten, and a snapshot never changes."""

    __tablename__: ClassVar[str] = "us_snapshot"

    id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG, index=True)
    path: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    manifest: dict[str, Any] = Field(sa_type=Json)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TrainingRunRow(SQLModel, table=True):
    """A TrainingRun; `state` is queued, running, succeeded, failed or cancelled."""

    __tablename__: ClassVar[str] = "us_training_run"

    id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG, index=True)
    snapshot_id: str
    state: str
    path: str = Field(sa_type=Text)
    started_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class AdapterVersionRow(SQLModel, table=True):
    """An AdapterVersion; `state` is one of app.domain.adapters.AdapterState. Once `stale_at` is set, something it
    learned from was erased: it is to be replaced by one that did not, and its weights destroyed."""

    __tablename__: ClassVar[str] = "us_adapter_version"

    name: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG, index=True)
    snapshot_id: str
    state: str
    path: str = Field(sa_type=Text)
    manifest: dict[str, Any] = Field(sa_type=Json)
    decision: dict[str, Any] | None = Field(default=None, sa_type=Json)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    stale_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AdapterPointerRow(SQLModel, table=True):
    """Which AdapterVersion reviews for an installation. Promotion and rollback move this row, nothing else."""

    __tablename__: ClassVar[str] = "us_adapter_pointer"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    adapter_name: str | None = None
    previous: str | None = None
    moved_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ReviewRow(SQLModel, table=True):
    """The one review of one head commit; `id` is `<host>:<repository id>:<number>:<head sha>`.

    `state` is planned, drafted, posted, silent, shadowed, held_back, skipped or failed. `full`: a person asked for
    the whole patch.
    """

    __tablename__: ClassVar[str] = "us_review"
    __table_args__ = (Index("ix_us_review_pull", "installation_id", "repository", "pull_request"),)

    id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG)
    repository: str
    pull_request: int
    head_sha: str
    state: str
    github_review_id: int | None = Field(default=None, sa_type=BIG)
    coverage: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    adapter: str | None = None
    full: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class FindingRow(SQLModel, table=True):
    """A Finding of a review; `comment_id` is GitHub's once it is posted."""

    __tablename__: ClassVar[str] = "us_finding"

    review_id: str = Field(primary_key=True, foreign_key="us_review.id")
    fingerprint: str = Field(primary_key=True)
    path: str = Field(sa_type=Text)
    line: int
    body: str = Field(sa_type=Text)
    severity: str
    posted: bool = False
    comment_id: int | None = Field(default=None, sa_type=BIG)
    payload: dict[str, Any] = Field(sa_type=Json)


class FeedbackRow(SQLModel, table=True):
    """What became of a Finding that was posted, or held back: `signs` is a Feedback, `verdict` a Verdict.

    `head_sha` is the head that git was asked about; `line_text` the commented line, as the AcceptanceFilter reads it.
    `consent` says what must be true before it is learned from: `evidence` nothing more, `approval` that people approved
    something of the pull request, `none` that nothing makes it so. Once `settled_at` is set it is not looked at again.
    """

    __tablename__: ClassVar[str] = "us_feedback"
    __table_args__ = (Index("ix_us_feedback_pull", "installation_id", "repository", "pull_request"),)

    review_id: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG)
    repository: str
    pull_request: int
    held_back: bool
    verdict: str
    signs: dict[str, Any] = Field(sa_type=Json)
    head_sha: str
    line_text: str = Field(sa_type=Text)
    pull_request_created_at: datetime = Field(sa_type=UtcDateTime)
    consent: str
    read_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReviewAskRow(SQLModel, table=True):
    """When the webhook came that asked for a review; a review that the sweep found has none."""

    __tablename__: ClassVar[str] = "us_review_ask"

    review_id: str = Field(primary_key=True)
    installation_id: int = Field(sa_type=BIG, index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)


class PauseRow(SQLModel, table=True):
    """A pull request that is not reviewed until somebody resumes it, and who said so. Who did what is in the audit."""

    __tablename__: ClassVar[str] = "us_pause"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str = Field(primary_key=True)
    pull_request: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    actor: str
    actor_role: str
    paused_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class DismissalRow(SQLModel, table=True):
    """A Finding that somebody dismissed: its fingerprint never returns on its pull request, its `words` (those of the
    line and of the comment, as a hash) nowhere in the repository."""

    __tablename__: ClassVar[str] = "us_dismissal"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str = Field(primary_key=True)
    pull_request: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fingerprint: str = Field(primary_key=True)
    words: str | None = None
    reason: str = Field(sa_type=Text)
    actor: str
    actor_role: str
    comment_id: int = Field(sa_type=BIG)
    dismissed_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ProgressRow(SQLModel, table=True):
    """How far a running workflow is. Overwritten, never part of its durable state."""

    __tablename__: ClassVar[str] = "us_progress"

    workflow_id: str = Field(primary_key=True)
    figures: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ExecutorRow(SQLModel, table=True):
    """A process that runs workflows, and its last sign of life by the database's clock."""

    __tablename__: ClassVar[str] = "us_executor"

    id: str = Field(primary_key=True)
    host: str
    pid: int
    started_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    #: set when a peer took its work over
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
