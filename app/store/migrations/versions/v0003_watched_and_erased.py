"""Repositories that are watched, pull requests that were harvested, and what was asked to be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "us_repository",
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository_id", BIG, autoincrement=False, nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("watched_since", MOMENT, nullable=False),
        sa.Column("swept_at", MOMENT, nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("backfill", sa.String(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("done_before", sa.Integer(), nullable=False),
        sa.Column("backfill_began_at", MOMENT, nullable=True),
        sa.Column("backfill_listed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("installation_id", "repository_id"),
    )
    op.create_table(
        "us_harvested",
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository_id", BIG, autoincrement=False, nullable=False),
        sa.Column("pull_request", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("head_sha", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("harvested_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "repository_id", "pull_request"),
    )
    _create_erasure()
    with op.batch_alter_table("us_snapshot") as table:
        table.add_column(sa.Column("erased_at", MOMENT, nullable=True))
    with op.batch_alter_table("us_adapter_version") as table:
        table.add_column(sa.Column("stale_at", MOMENT, nullable=True))


def _create_erasure() -> None:
    op.create_table(
        "us_erasure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_us_erasure_installation_id", "us_erasure", ["installation_id"])


def downgrade() -> None:
    with op.batch_alter_table("us_adapter_version") as table:
        table.drop_column("stale_at")
    with op.batch_alter_table("us_snapshot") as table:
        table.drop_column("erased_at")
    for name in ("us_erasure", "us_harvested", "us_repository"):
        op.drop_table(name)
