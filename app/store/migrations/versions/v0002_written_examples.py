"""Examples that belong to no pull request, and what changes about an Example while its content stays."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("us_example") as table:
        table.alter_column("pull_request", existing_type=sa.Integer(), nullable=True)
        table.add_column(sa.Column("signals", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.execute("delete from us_example where pull_request is null")
    with op.batch_alter_table("us_example") as table:
        table.drop_column("signals")
        table.alter_column("pull_request", existing_type=sa.Integer(), nullable=False)
