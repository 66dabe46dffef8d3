"""Which databases are taken, and what is said about the others."""

import pytest

from app.domain.errors import UserError
from app.store.database import parse_database_url


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///data/understudy.db", "sqlite"),
        ("sqlite:////var/lib/understudy.db", "sqlite"),
        ("postgresql://user@host/name", "postgresql+psycopg"),
        ("postgresql+psycopg2://user@host/name", "postgresql+psycopg"),
    ],
)
def test_sqlite_files_and_postgresql_are_taken(url: str, driver: str) -> None:
    assert parse_database_url(url).drivername == driver


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "nonsense", ""])
def test_everything_else_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(UserError, match=r"expected .*sqlite:///.*postgresql://"):
        parse_database_url(url)


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(UserError) as refused:
        parse_database_url("mysql://user:canary-password@host/name")
    assert "canary" not in str(refused.value)
