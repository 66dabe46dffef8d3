"""How each repository begins: those that are known already go on as they did."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("us_repository", sa.Column("onboarding", sa.String(), nullable=True))
    op.add_column("us_repository", sa.Column("onboarding_pull", sa.Integer(), nullable=True))
    op.execute("update us_repository set onboarding = 'started'")


def downgrade() -> None:
    op.drop_column("us_repository", "onboarding_pull")
    op.drop_column("us_repository", "onboarding")
