"""What the merge of a pull request made on the base branch."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("us_harvested") as table:
        table.add_column(sa.Column("merge_commit_sha", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("us_harvested") as table:
        table.drop_column("merge_commit_sha")
