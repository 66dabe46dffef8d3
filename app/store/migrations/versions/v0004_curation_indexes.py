"""Finding the decisions about a pull request, and the last act upon a subject, without reading everything."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_us_approval_pull", "us_approval", ["installation_id", "repository", "pull_request", "id"])
    op.create_index("ix_us_audit_subject", "us_audit", ["subject", "id"])


def downgrade() -> None:
    op.drop_index("ix_us_audit_subject", "us_audit")
    op.drop_index("ix_us_approval_pull", "us_approval")
