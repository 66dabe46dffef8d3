"""`erase` and `trace` as a person types them: beside a running service, and without one."""

import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.written import WrittenExample, WrittenKind
from app.store.database import open_engine, writing
from app.store.deliveries import save_installation
from app.store.learning import save_written
from app.store.migrate import migrate
from app.store.tables import InstallationRow
from app.workflows import engine
from app.workflows.runs import Queue
from docs.website.blocks import read_blocks
from tests.integration.intake.conftest import HOST, SECRETS, TOKEN, running, settings_for

_CHECKOUT = Path(__file__).parents[2]


def a_commit(author: str, text: str) -> WrittenExample:
    return WrittenExample(
        kind=WrittenKind.COMMIT,
        host=HOST,
        repository_id=5,
        repository="o/r",
        commit_sha="c" * 40,
        written_at=datetime(2026, 1, 1, tzinfo=UTC),
        author=author,
        context="+total",
        text=text,
    )


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one commit message by ann, and the settings of this process pointed at it."""
    database_url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(database_url)
    database = open_engine(database_url)
    with writing(database) as session:
        save_installation(session, InstallationRow(id=11, host=HOST, account="acme"))
        save_written(session, 11, [a_commit("ann", "Why the sum is kept")], "history")
    database.dispose()
    settings = settings_for(database_url, tmp_path)
    for name, value in {
        "WEBHOOK_SECRETS": ",".join(SECRETS),
        "OPERATOR_TOKEN": TOKEN,
        "APP_ID": "1",
        "PRIVATE_KEY_FILE": str(settings.private_key_file),
        "DATABASE_URL": database_url,
        "DATA": str(settings.data),
        "GITHUB_API_URL": settings.github_api_url,
        "GITHUB_GIT_URL": settings.github_git_url,
        "PORT": "9",  # nobody serves there
    }.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    return database_url


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program as a person starts it."""
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True, check=False, timeout=120)


def ask(*arguments: str) -> dict[str, Any]:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def refuse(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_without_a_service_it_counts_first_and_erases_when_told(url: str, tmp_path: Path) -> None:
    page = (_CHECKOUT / "docs" / "privacy.md").read_text(encoding="utf-8")
    (block,) = [block for block in read_blocks(page) if block.by == "erase"]
    counting, erasing = [shlex.split(line.replace("LOGIN", "ann"))[3:] for line in block.commands]
    assert ask(*counting)["found"] == {"11": {"examples": 1}}
    assert b"Why the sum is kept" in (tmp_path / "understudy.db").read_bytes()
    (report,) = ask(*erasing)["erased"]
    assert report["report"]["examples"] == 1
    assert b"Why the sum is kept" not in (tmp_path / "understudy.db").read_bytes()
    assert ask("erase", "--author", "ann")["found"] == {"11": {}}


def test_a_running_service_does_the_work(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings_for(url, tmp_path), queues=(Queue.INTAKE, Queue.GITHUB)) as service:
        monkeypatch.setenv("UNDERSTUDY_PORT", service.url.rsplit(":", 1)[1])
        assert ask("erase", "--author", "ann")["found"] == {"11": {"examples": 1}}
        (report,) = ask("erase", "--author", "ann", "--yes")["erased"]
        assert report["report"]["examples"] == 1
        assert engine.is_alive()
        assert "expected a known installation, got 999" in refuse("erase", "--installation", "999")
        assert service.operator("POST", "/installations/11/backfill").status_code == 202
        assert service.operator("POST", "/installations/12/backfill").status_code == 409


def test_one_thing_at_a_time(url: str) -> None:
    assert "got 0; erase one thing at a time" in refuse("erase")
    assert "got 2" in refuse("erase", "--author", "ann", "--repository", "o/r")


def test_a_trace_names_what_it_does_not_know(url: str) -> None:
    found = ask("trace", a_commit("ann", "Why the sum is kept").hash)
    (example,) = found["examples"]
    assert example["kind"] == "commit"
    assert "it was never here, or it was erased" in refuse("trace", "fp1:unknown")


def test_a_service_on_a_file_that_is_no_database_ends_in_a_sentence(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.db"
    other.write_text("text and more text, longer than what a database begins with\n" * 9)
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", f"sqlite:///{other}")
    monkeypatch.setenv("UNDERSTUDY_PORT", "0")
    told = refuse("serve")
    assert "Traceback" not in told
    assert f"{other}, got: file is not a database; " in told
    assert "UNDERSTUDY_DATABASE_URL" in told
