"""What repositories say about themselves, and texts as vectors."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "us_reference_file",
        *_repository(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "repository_id", "path"),
    )
    op.create_table(
        "us_reference",
        *_repository(),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "repository_id", "content", "position"),
    )
    op.create_table(
        "us_vector",
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "model", "text_hash"),
    )
    op.add_column("us_repository", sa.Column("indexed_head", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("us_repository", "indexed_head")
    op.drop_table("us_vector")
    op.drop_table("us_reference")
    op.drop_table("us_reference_file")


def _repository() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
    )
