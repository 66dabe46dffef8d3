"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_intake()
    _create_learning()
    _create_training()
    _create_reviews()
    _create_execution()


def _create_intake() -> None:
    op.create_table(
        "us_delivery",
        sa.Column("guid", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("installation_id", BIG, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("guid"),
    )
    op.create_index("ix_us_delivery_event", "us_delivery", ["event"])
    op.create_index("ix_us_delivery_installation_id", "us_delivery", ["installation_id"])
    op.create_index("ix_us_delivery_outcome", "us_delivery", ["outcome"])
    op.create_index("ix_us_delivery_received_at", "us_delivery", ["received_at"])
    op.create_table(
        "us_installation",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_learning() -> None:
    op.create_table(
        "us_example",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("comment_id", BIG, nullable=True),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "installation_id"),
    )
    op.create_index("ix_us_example_pull", "us_example", ["installation_id", "repository", "pull_request"])
    op.create_table(
        "us_rejection",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_us_rejection_pull", "us_rejection", ["installation_id", "repository", "pull_request"])
    op.create_table(
        "us_approval",
        sa.Column("id", BIG, nullable=False),
        sa.Column("example_hash", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index("ix_us_approval_example", "us_approval", ["installation_id", "example_hash", "id"])
    op.create_table(
        "us_audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index("ix_us_audit_at", "us_audit", ["at"])


def _create_training() -> None:
    op.create_table(
        "us_snapshot",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_us_snapshot_installation_id", "us_snapshot", ["installation_id"])
    op.create_table(
        "us_training_run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("snapshot_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_us_training_run_installation_id", "us_training_run", ["installation_id"])
    op.create_table(
        "us_adapter_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("snapshot_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_us_adapter_version_installation_id", "us_adapter_version", ["installation_id"])
    op.create_table(
        "us_adapter_pointer",
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("adapter_name", sa.String(), nullable=True),
        sa.Column("previous", sa.String(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("installation_id"),
    )


def _create_reviews() -> None:
    op.create_table(
        "us_review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=False),
        sa.Column("head_sha", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("github_review_id", BIG, nullable=True),
        sa.Column("coverage", sa.JSON(), nullable=False),
        sa.Column("adapter", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_us_review_pull", "us_review", ["installation_id", "repository", "pull_request"])
    op.create_table(
        "us_finding",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("posted", sa.Boolean(), nullable=False),
        sa.Column("comment_id", BIG, nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["us_review.id"],
        ),
        sa.PrimaryKeyConstraint("review_id", "fingerprint"),
    )


def _create_execution() -> None:
    op.create_table(
        "us_executor",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "us_progress",
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workflow_id"),
    )


def downgrade() -> None:
    for table in (
        "us_progress",
        "us_executor",
        "us_finding",
        "us_review",
        "us_adapter_pointer",
        "us_adapter_version",
        "us_training_run",
        "us_snapshot",
        "us_audit",
        "us_approval",
        "us_rejection",
        "us_example",
        "us_installation",
        "us_delivery",
    ):
        op.drop_table(table)
