"""Git over HTTP with an installation token; adopting a repository without writing to it."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.rehearsal.standin import StandIn
from tests.integration.rehearsal.standin.world import REPO, World, numbered


def git_with(token: str, *arguments: str, user: str = "x-access-token") -> subprocess.CompletedProcess[str]:
    basic = base64.b64encode(f"{user}:{token}".encode()).decode()
    config = ["-c", f"http.extraHeader=Authorization: Basic {basic}", "-c", "http.proxy="]
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "*"}
    return subprocess.run(["git", *config, *arguments], capture_output=True, text=True, env=environment, check=False)


def url(world: World, full_name: str = REPO) -> str:
    return f"{world.server.base_url}/{full_name}.git"


def test_a_token_clones_and_fetches_any_commit(world: World, tmp_path: Path) -> None:
    world.open()
    token, clone = world.token(), str(tmp_path / "clone")
    assert git_with(token, "clone", "-q", "--bare", "--filter=blob:none", url(world), clone).returncode == 0
    forced = world.work.commit({"a.py": numbered({5: "five"})}, "Anew", "feature", start="main")
    world.standin.push(REPO, 1, forced, force=True)
    fetched = git_with(
        token, "-C", clone, "fetch", "-q", url(world), world.head_sha, "refs/pull/1/head:refs/pull/1/head"
    )
    assert fetched.returncode == 0, fetched.stderr
    assert git_with(token, "-C", clone, "rev-parse", "refs/pull/1/head").stdout.strip() == forced
    assert git_with(token, "-C", clone, "cat-file", "-t", world.head_sha).stdout.strip() == "commit"
    assert {one.route for one in world.standin.requests if one.path.startswith(f"/{REPO}.git")} == {"git"}


@pytest.mark.parametrize("user", ["x-access-token", "git"])
def test_without_a_good_token_nothing_is_served(world: World, user: str) -> None:
    for token in ("", "ghs_wrong") if user == "x-access-token" else (world.token(),):
        assert git_with(token, "ls-remote", url(world), user=user).returncode != 0
    anonymous = subprocess.run(
        ["git", "-c", "http.proxy=", "ls-remote", url(world)],
        capture_output=True,
        env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
        check=False,
    )
    assert anonymous.returncode != 0
    assert world.standin.requests[-1].status == 401


def test_what_a_token_does_not_reach_is_not_served(world: World) -> None:
    world.standin.add_repository("acme/closed", installed=False)
    assert git_with(world.token(), "ls-remote", url(world, "acme/closed")).returncode != 0
    assert world.standin.requests[-1].status == 404
    narrow = world.token(permissions={"checks": "read"})
    assert git_with(narrow, "ls-remote", url(world)).returncode != 0
    assert world.standin.requests[-1].status == 403
    token = world.token()
    world.clock.advance(hours=1)
    assert git_with(token, "ls-remote", url(world)).returncode != 0


def test_a_commit_that_is_not_there_is_githubs_refusal(world: World, tmp_path: Path) -> None:
    clone, token = str(tmp_path / "empty"), world.token()
    git_with(token, "init", "-q", "--bare", clone)
    for number in range(10):
        refused = git_with(token, "-C", clone, "fetch", "-q", url(world), f"{number + 1:040x}")
        assert "not our ref" in refused.stderr


def test_pushing_is_refused(world: World, tmp_path: Path) -> None:
    token, clone = world.token(), str(tmp_path / "clone")
    git_with(token, "clone", "-q", url(world), clone)
    assert git_with(token, "-C", clone, "push", "-q", "origin", "HEAD:refs/heads/evil").returncode != 0
    assert world.standin.requests[-1].status == 403


def test_an_adopted_repository_is_read_and_never_written(world: World, tmp_path: Path) -> None:
    world.open()
    source = world.standin.bare_path(REPO)
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    hub = StandIn(tmp_path / "second", webhook_secret="x")
    hub.add_repository("acme/copy", bare=source, default_branch="trunk")
    number = hub.open_pull_request("acme/copy", author="bob", title="t", head_sha=world.head_sha)
    hub.merge("acme/copy", number, by="ann")
    assert hub.repositories["acme/copy"].default_branch == "main"
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_no_repository_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a bare git repository"):
        world.standin.add_repository("acme/none", bare=tmp_path)


def test_people_are_told_what_is_wrong(world: World) -> None:
    hub = world.standin
    world.open()
    for name in ("acme", "acme/..", "../up", "./here", "a/b/c"):
        with pytest.raises(UserError, match="owner/name"):
            hub.add_repository(name)
    with pytest.raises(UserError, match="exists already"):
        world.open(number=1)
    with pytest.raises(UserError, match="expected a commit the repository has"):
        world.open(head_sha="0" * 40)
    with pytest.raises(UserError, match="not in the diff"):
        hub.comment(REPO, 1, author="ann", path="a.py", line=3, body="x", commit_sha=world.head_sha)
    with pytest.raises(UserError, match="force=True"):
        hub.push(REPO, 1, world.base_sha)
    with pytest.raises(UserError, match="no review comment"):
        hub.resolve_thread(REPO, 1, 7, by="ann")
    with pytest.raises(UserError, match="still waiting"):
        world.server.drain(0.01)
