"""Words of a command line that cannot be meant are refused before anything is done, each by the name of its option."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.domain.errors import UserError


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder with good settings, in which a file of text stands where the database should."""
    monkeypatch.chdir(tmp_path)
    values = {"WEBHOOK_SECRETS": "s" * 20, "OPERATOR_TOKEN": "t" * 20, "APP_ID": "1", "PRIVATE_KEY_FILE": "key.pem"}
    for name, value in (values | {"DATABASE_URL": "sqlite:///no.db"}).items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    (tmp_path / "no.db").write_text("text and more text, longer than what a database begins with\n" * 9)
    return tmp_path


def _refuse(words: str) -> str:
    result = CliRunner().invoke(cli, words.split())
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


@pytest.mark.parametrize(
    ("words", "option", "got"),
    [
        ("setup --port nonsense", "--port", "'nonsense'"),
        ("setup --port 70000", "--port", "'70000'"),
        ("setup --port -1", "--port", "'-1'"),
        ("restore old.tar", "--erasures", "neither"),
        ("restore old.tar --erasures e.json --no-erasures", "--no-erasures", "both"),
        ("restore old.tar --erasures nowhere/e.json", "--erasures", "No such file or directory at nowhere/e.json"),
        ("restore old.tar --erasures no.db", "--erasures", "something else in no.db"),
        ("restore old.tar --erasures mysql://x/y", "--erasures", "'mysql'"),
        ("restore old.tar --erasures sqlite:///none.db", "--erasures", "found none"),
        ("restore old.tar --erasures sqlite:///no.db", "--erasures", "file is not a database"),
        ("move --to nonsense", "--to", "'nonsense'"),
        ("move --to mysql://x/y", "--to", "'mysql'"),
        ("move --to sqlite:///other.db", "--to", "sqlite"),
    ],
)
def test_an_option_is_named_with_what_came(words: str, option: str, got: str, place: Path) -> None:
    told = _refuse(words)
    assert told.startswith("expected ")
    assert option in told
    assert got in told
    assert "UNDERSTUDY_DATABASE_URL" not in told
    assert [path.name for path in place.iterdir()] == ["no.db"]


def test_a_backup_that_is_not_there(place: Path) -> None:
    assert "a backup at old.tar, a folder or a tar file, found nothing" in _refuse("restore old.tar --no-erasures")
    assert [path.name for path in place.iterdir()] == ["no.db"]


def test_a_password_in_a_wrong_address_is_not_repeated(place: Path) -> None:
    assert "canary" not in _refuse("move --to postgresql//user:canary@host/name")
    assert [path.name for path in place.iterdir()] == ["no.db"]


@pytest.mark.parametrize("words", ["trace fp1:0", "feedback --installation 1", "erasures e.json"])
def test_a_file_that_is_no_database(words: str, place: Path) -> None:
    told = _refuse(words)
    assert "no.db, got" in told
    assert "file is not a database" in told
    assert "UNDERSTUDY_DATABASE_URL" in told
