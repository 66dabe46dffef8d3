"""What became of Findings, and when the webhook came that asked for a review."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "us_feedback",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=False),
        sa.Column("held_back", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.Column("head_sha", sa.String(), nullable=False),
        sa.Column("line_text", sa.Text(), nullable=False),
        sa.Column("pull_request_created_at", MOMENT, nullable=False),
        sa.Column("consent", sa.String(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("review_id", "fingerprint"),
    )
    op.create_index("ix_us_feedback_pull", "us_feedback", ["installation_id", "repository", "pull_request"])
    op.create_table(
        "us_review_ask",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("review_id"),
    )
    op.create_index("ix_us_review_ask_installation_id", "us_review_ask", ["installation_id"])


def downgrade() -> None:
    op.drop_table("us_review_ask")
    op.drop_table("us_feedback")
