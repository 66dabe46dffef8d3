"""Sessions of the dashboard, and what its dataset browser searches."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
_SEARCHED = "us_example_search"
_LONGEST_TEXT = 1_000


def upgrade() -> None:
    op.create_table(
        "us_session",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("installations", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_us_session_expires_at", "us_session", ["expires_at"])
    op.create_table(
        "us_sign_in",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_us_sign_in_expires_at", "us_sign_in", ["expires_at"])
    op.create_index("ix_us_delivery_tenant", "us_delivery", ["installation_id", "outcome"])
    _create_search()
    _fill_search()


def _create_search() -> None:
    op.create_table(
        _SEARCHED,
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("installation_id", BIG, autoincrement=False, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "installation_id"),
        sa.ForeignKeyConstraint(
            ["hash", "installation_id"], ["us_example.hash", "us_example.installation_id"], ondelete="CASCADE"
        ),
    )
    op.create_index("ix_us_example_search_newest", _SEARCHED, ["installation_id", "created_at", "hash"])
    op.create_index("ix_us_example_search_pull", _SEARCHED, ["installation_id", "repository", "pull_request"])
    op.create_index("ix_us_example_search_count", _SEARCHED, ["installation_id", "repository", "kind", "decision"])


def _fill_search() -> None:
    """From the Examples that are there; the databases read their JSON themselves."""
    example = sa.table(
        "us_example",
        *(sa.column(name) for name in ("hash", "installation_id", "repository", "pull_request", "kind", "evidence")),
        sa.column("created_at"),
        sa.column("payload", sa.JSON()),
    )
    approval = sa.table(
        "us_approval", *(sa.column(name) for name in ("id", "installation_id", "example_hash", "decision"))
    )
    newest = (
        sa.select(approval.c.decision)
        .where(approval.c.installation_id == example.c.installation_id, approval.c.example_hash == example.c.hash)
        .order_by(approval.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    payload = example.c.payload
    path = sa.func.coalesce(payload["path"].as_string(), "")
    words = sa.func.coalesce(payload["body"].as_string(), payload["text"].as_string(), "")
    line = sa.case((payload["side"].as_string() == "RIGHT", payload["line"].as_integer()), else_=None)
    columns = ["hash", "installation_id", "repository", "pull_request", "kind", "evidence"]
    found = sa.select(
        *(example.c[name] for name in columns),
        newest,
        example.c.created_at,
        path,
        line,
        sa.func.substr(sa.func.lower(path + "\n" + words), 1, _LONGEST_TEXT),
    )
    searched = sa.table(
        _SEARCHED,
        *(sa.column(name) for name in (*columns, "decision", "created_at", "path", "line", "text")),
    )
    names = [*columns, "decision", "created_at", "path", "line", "text"]
    op.execute(sa.insert(searched).from_select(names, found))


def downgrade() -> None:
    op.drop_table(_SEARCHED)
    op.drop_index("ix_us_delivery_tenant", "us_delivery")
    op.drop_table("us_sign_in")
    op.drop_table("us_session")
