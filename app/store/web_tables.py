"""Tables of the dashboard: who is signed in, and a narrow copy of Examples that a page is searched from."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlmodel import Field, SQLModel

from app.store.columns import BIG, Json, UtcDateTime, utc_now


class SessionRow(SQLModel, table=True):
    """Somebody who is signed in. `key` is the hash of the cookie's secret, which is kept nowhere.

    `installations`: ids that GitHub listed for the person when they signed in; empty for the operator, who sees all.
    """

    __tablename__: ClassVar[str] = "us_session"

    key: str = Field(primary_key=True)
    login: str
    user_id: int | None = Field(default=None, sa_type=BIG)
    is_operator: bool = False
    installations: list[int] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class SignInRow(SQLModel, table=True):
    """A sign-in that was used, so that its state counts once. `key` is the hash of it, `verifier` empty: that follows
    from the state. The row goes when the state would be too old."""

    __tablename__: ClassVar[str] = "us_sign_in"

    key: str = Field(primary_key=True)
    verifier: str
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ExampleSearchRow(SQLModel, table=True):
    """What the dataset browser filters and searches, beside an Example, whose payload is ten times as long.

    It goes with its Example, by the database's own hand. `line` is that of a comment on the new side. `decision` is
    the one in force, None before the first. `text` is path and words in lower case, cut short.
    """

    __tablename__: ClassVar[str] = "us_example_search"
    __table_args__ = (
        ForeignKeyConstraint(
            ["hash", "installation_id"], ["us_example.hash", "us_example.installation_id"], ondelete="CASCADE"
        ),
        Index("ix_us_example_search_newest", "installation_id", "created_at", "hash"),
        Index("ix_us_example_search_pull", "installation_id", "repository", "pull_request"),
        Index("ix_us_example_search_count", "installation_id", "repository", "kind", "decision"),
    )

    hash: str = Field(primary_key=True)
    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str
    pull_request: int | None = None
    kind: str
    evidence: str | None = None
    decision: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    path: str = Field(sa_type=Text)
    line: int | None = None
    text: str = Field(sa_type=Text)
