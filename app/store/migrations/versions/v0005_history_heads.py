"""How far the default branch of a repository was looked at, and how far its history is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("us_repository") as table:
        table.add_column(sa.Column("seen_head", sa.String(), nullable=True))
        table.add_column(sa.Column("history_head", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("us_repository") as table:
        table.drop_column("history_head")
        table.drop_column("seen_head")
