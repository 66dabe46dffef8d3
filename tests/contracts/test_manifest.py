"""`app.yml` asks for the permissions that the App's own requests need: no more, and no less."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.errors import Refused, RetryLater
from app.github.client import GitHubClient
from app.github.git import GitFailed, ensure_mirror, fetch_commits, has_commit
from app.rehearsal.standin import needed_permissions
from app.review.messages import CHECK_NAME
from tests.integration.rehearsal.standin.world import REPO, World, small_world

MANIFEST: dict[str, Any] = yaml.safe_load(Path("app.yml").read_text(encoding="utf-8"))

#: Each permission taken away, and each `write` turned into `read`. Metadata cannot be taken away.
LESS = [
    (name, less)
    for name, level in MANIFEST["default_permissions"].items()
    for less in ("none", "read")
    if name != "metadata" and less != level
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


def client(world: World) -> GitHubClient:
    return GitHubClient(
        api_url=world.server.base_url,
        git_url=world.server.base_url,
        app_id=world.standin.app_id,
        private_key_pem=world.standin.private_key_pem,
        installation_id=world.standin.installation_id,
        write_pause_seconds=0.0,
    )


async def use_everything(world: World, mirror: Path) -> None:
    """Every request the App can make, git's among them."""
    github = client(world)
    copy = ensure_mirror(mirror, "127.0.0.1", 1)
    token = await github.fetch_git_token()
    await asyncio.to_thread(fetch_commits, copy, github.git_url(REPO), number=1, shas=[world.base_sha], token=token)
    assert has_commit(copy, world.head_sha)
    for number in (1, 2):
        await github.fetch_pull(REPO, number)
        await github.fetch_files(REPO, number)
        await github.fetch_timeline(REPO, number)
        await github.fetch_harvest(REPO, number)
    await github.fetch_permission(REPO, "ann")
    await github.fetch_policy(REPO)
    installed_at = await github.fetch_installed_at()
    told = await github.create_issue_comment(REPO, 1, "What became of it")
    await github.update_issue_comment(REPO, told, "What became of it now")
    assert [one.comment_id for one in await github.list_issue_comments(REPO, 1, since=installed_at)] == [told]
    await github.fetch_failed_deliveries()
    await github.fetch_repositories(1)
    await github.is_installed()
    await github.fetch_merged(REPO, size=25, cursor=None)
    await github.fetch_updated(REPO)
    await github.fetch_rate_limits()
    comments = [{"path": "a.py", "line": 20, "side": "RIGHT", "body": "Twenty?"}]
    kept = await github.create_pending_review(REPO, 1, world.head_sha, "One thing", comments)
    await github.list_reviews(REPO, 1)
    (comment,) = await github.list_review_comments(REPO, 1, kept)
    await github.submit_review(REPO, 1, kept, "One thing")
    await github.reply_to_review_comment(REPO, 1, int(comment["id"]), "Because of that")
    await github.delete_pending_review(REPO, 2, await github.create_pending_review(REPO, 2, world.head_sha, "x", []))
    for conclusion in (None, "success"):
        await github.ensure_check_run(
            REPO, world.head_sha, external_id="r:1", conclusion=conclusion, title="t", summary="s", name=CHECK_NAME
        )


def open_two(world: World) -> None:
    world.open()
    world.open()


async def test_the_permissions_are_those_the_requests_need(world: World, tmp_path: Path) -> None:
    open_two(world)
    await use_everything(world, tmp_path / "mirror")
    assert needed_permissions(world.standin.requests) == MANIFEST["default_permissions"]


@pytest.mark.parametrize(("name", "level"), LESS)
async def test_with_one_permission_less_something_is_refused(
    world: World, tmp_path: Path, name: str, level: str
) -> None:
    open_two(world)
    del world.standin.permissions[name]
    if level != "none":
        world.standin.permissions[name] = level
    with pytest.raises((Refused, GitFailed, RetryLater)):
        await use_everything(world, tmp_path / "mirror")
