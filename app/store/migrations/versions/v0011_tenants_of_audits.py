"""Of which tenant an audit row is: with several GitHubs a name alone does not say."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("us_audit", sa.Column("installation_id", BIG, nullable=True))


def downgrade() -> None:
    op.drop_column("us_audit", "installation_id")
