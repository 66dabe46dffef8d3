"""A live repository is recorded and rehearsed by reading alone; the stand-in GitHub is the live one here."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.domain.errors import UserError
from app.github.reading import AppAccess, ReadingClient, TokenAccess
from app.rehearsal.archive import read_archive
from app.rehearsal.console import Narrator
from app.rehearsal.live import choose_access
from app.rehearsal.playback import Mirror, check_heads
from app.rehearsal.recording import Recorded, record_live
from app.settings import ReadingSettings
from tests.integration.team import BEGINNING, REPO, SERVICE, Team

CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
FIXED = CHANGED.replace("    print(order)\n", "    log.debug(order)\n")
READING = {"POST /graphql", "POST /app/installations/{installation_id}/access_tokens"}


@pytest.fixture(scope="module")
def discussed(team: Team) -> list[int]:
    """Three merged pull requests, of which one was talked about, and one that is open."""
    numbers = []
    for day in range(3):
        number, sha = team.open({"service.py": CHANGED, f"{day}.py": "x = 1\n"}, day=day)
        if day == 1:
            root = team.say(number, sha, 10, "Use the logger here, as everywhere else.", author="mara")
            team.reply(number, root, "Done.", author="dev", at=BEGINNING)
            team.fix(number, {"service.py": FIXED})
        team.standin.merge(REPO, number, by="root")
        numbers.append(number)
    team.open({"other.py": "y = 1\n"})
    return numbers


def token_of(team: Team) -> str:
    return asyncio.run(team.client().fetch_git_access()).token or ""


def record(team: Team, folder: Path, access: TokenAccess | AppAccess, newest: int = 50) -> Recorded:
    client = ReadingClient(git_url=team.server.base_url, access=access)
    return asyncio.run(record_live(client, REPO, folder, newest, Narrator()))


def test_a_recording_holds_what_was_said_and_every_commit_it_needs(
    team: Team, discussed: list[int], tmp_path: Path
) -> None:
    url, token = team.server.base_url, token_of(team)
    access = AppAccess(
        api_url=url, app_id=team.standin.app_id, private_key_pem=team.standin.private_key_pem, repository=REPO
    )
    since = len(team.standin.requests)
    as_app = record(team, tmp_path / "app", access)
    asked = set(team.api_requests(since))
    assert {one for one in asked if not one.startswith("GET ")} == READING
    as_person = record(team, tmp_path / "person", TokenAccess(api_url=url, token=token))
    assert as_app.archive.read_text() == as_person.archive.read_text()
    rows = read_archive(as_app.archive)
    assert [row.number for row in rows] == discussed
    (comment,) = rows[1].comments
    assert (comment.user, comment.path, comment.original_line) == ("mara", "service.py", 10)
    assert [(one.user, one.body) for one in comment.replies] == [("dev", "Done.")]
    mirror = Mirror(as_app.mirror)
    check_heads(mirror, rows)
    assert mirror.resolve(comment.original_commit_id) is not None
    assert all(mirror.resolve(row.first_commit_parent or "") is not None for row in rows)
    assert len(read_archive(record(team, tmp_path / "app", access, newest=2).archive)) == 2


def test_a_head_that_github_lost_leaves_out_its_pull_request_alone(
    team: Team, discussed: list[int], tmp_path: Path
) -> None:
    git = team.standin.repository(REPO).git
    head = team.standin.find_pull(REPO, discussed[0])[1].head_sha
    git.run("update-ref", "-d", f"refs/pull/{discussed[0]}/head")
    try:
        access = TokenAccess(api_url=team.server.base_url, token=token_of(team))
        rows = read_archive(record(team, tmp_path, access).archive)
    finally:
        git.set_ref(f"refs/pull/{discussed[0]}/head", head)
    assert [row.number for row in rows] == discussed[1:]


def test_the_token_for_the_app_may_read_one_repository_and_nothing_more(team: Team, discussed: list[int]) -> None:
    access = AppAccess(
        api_url=team.server.base_url,
        app_id=team.standin.app_id,
        private_key_pem=team.standin.private_key_pem,
        repository=REPO,
    )
    grant = team.standin.grants.check(asyncio.run(access.fetch_token()), team.standin.clock())
    assert set(grant.permissions.values()) == {"read"}
    assert grant.repository_ids == frozenset({team.standin.repository(REPO).id})


def test_a_repository_that_cannot_be_seen_is_said_with_what_to_do(team: Team, tmp_path: Path) -> None:
    client = ReadingClient(
        git_url=team.server.base_url, access=TokenAccess(api_url=team.server.base_url, token=token_of(team))
    )
    with pytest.raises(UserError, match="must be allowed to read"):
        asyncio.run(record_live(client, "acme/nothing", tmp_path, 5, Narrator()))


def test_without_credentials_both_ways_are_named() -> None:
    with pytest.raises(UserError, match="UNDERSTUDY_GITHUB_TOKEN"):
        choose_access(ReadingSettings.model_construct(github_token=None, app_id=None, private_key_file=None), REPO)


def rehearse(out: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    done = CliRunner().invoke(
        cli, ["rehearse", "--out", str(out), "--until", "harvest", *arguments], env=kept | (environment or {})
    )
    return done.output if done.exit_code == 0 else f"failed: {done.output}{done.exception}"


def test_a_live_rehearsal_changes_nothing_on_github(team: Team, discussed: list[int], tmp_path: Path) -> None:
    environment = {
        "UNDERSTUDY_GITHUB_TOKEN": token_of(team),
        "UNDERSTUDY_GITHUB_API_URL": team.server.base_url,
        "UNDERSTUDY_GITHUB_GIT_URL": team.server.base_url,
    }
    since = len(team.standin.requests)
    output = rehearse(tmp_path / "out", "--live", REPO, environment=environment)
    assert not output.startswith("failed"), output
    assert {one for one in team.api_requests(since) if not one.startswith("GET ")} == {"POST /graphql"}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["harvest"]["pull_requests"] == 3
    assert report["harvest"]["evidence"] == {"line": 1}
    assert report["host"] == "127.0.0.1"
    assert "by requests that can&#39;t write" in (tmp_path / "out" / "report.html").read_text().replace("'", "&#39;")


@pytest.mark.parametrize(
    "arguments", [(), ("--live", "o/r", "--mirror", "m"), ("--archive", "a"), ("--live", "o"), ("--live", "../..")]
)
def test_half_a_choice_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "expected" in rehearse(tmp_path / "out", *arguments)
