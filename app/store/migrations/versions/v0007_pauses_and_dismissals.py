"""Pull requests that are paused, Findings that were dismissed, and whether a person asked for the whole patch."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "us_pause",
        *_pull_request(),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("paused_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "repository", "pull_request"),
    )
    op.create_table(
        "us_dismissal",
        *_pull_request(),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("comment_id", BIG, nullable=False),
        sa.Column("dismissed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "repository", "pull_request", "fingerprint"),
    )
    op.add_column("us_review", sa.Column("full", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("us_review", "full")
    op.drop_table("us_dismissal")
    op.drop_table("us_pause")


def _pull_request() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), autoincrement=False, nullable=False),
    )
