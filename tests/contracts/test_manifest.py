"""`app.yml` asks for the permissions that the App's own requests need: no more, and no less."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.app_permissions import ONBOARDING, PERMISSIONS, render_permissions
from app.domain.errors import Refused, RetryLater
from app.domain.onboarding import BRANCH, MARKER
from app.domain.policies import POLICY_PATH
from app.github.client import GitHubClient
from app.github.git import GitFailed, ensure_mirror, fetch_commits, has_commit
from app.rehearsal.standin import needed_for_events, needed_permissions
from app.review.messages import CHECK_NAME
from tests.integration.rehearsal.standin.world import REPO, World, receiving, small_world

MANIFEST: dict[str, Any] = yaml.safe_load(Path("app.yml").read_text(encoding="utf-8"))

#: Asked for so that GitHub tells of an event; no request needs it.
ONLY_EVENTS = ("issues",)
#: Each permission taken away, and each `write` turned into `read`. Metadata cannot be taken away.
LESS = [
    (name, less)
    for name, level in MANIFEST["default_permissions"].items()
    for less in ("none", "read")
    if name not in ("metadata", *ONLY_EVENTS) and less != level
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
    access = await github.fetch_git_access()
    await asyncio.to_thread(fetch_commits, copy, github.git_url(REPO), number=1, shas=[world.base_sha], access=access)
    assert has_commit(copy, world.head_sha)
    for number in (1, 2):
        await github.fetch_pull(REPO, number)
        await github.fetch_files(REPO, number)
        await github.fetch_timeline(REPO, number)
        await github.fetch_harvest(REPO, number)
    await github.fetch_permission(REPO, "ann")
    await github.fetch_policy(REPO)
    await github.fetch_proposed_policy(REPO, world.head_sha)
    await github.fetch_agents_text(REPO)
    installed_at = await github.fetch_installed_at()
    told = await github.create_issue_comment(REPO, 1, "What became of it")
    await github.update_issue_comment(REPO, told, "What became of it now")
    assert [one.comment_id for one in await github.list_issue_comments(REPO, 1, since=installed_at)] == [told]
    said = await github.fetch_said(f"IC_{told}")
    assert said is not None
    await github.add_reaction(said, "eyes")
    await github.answer(said, "Because of this")
    assert await github.list_answers(said, f"{world.standin.slug}[bot]") == ["What became of it now", "Because of this"]
    await github.list_comments_since(REPO, installed_at)
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
    asked = needed_permissions(world.standin.requests)
    told = needed_for_events(MANIFEST["default_events"])
    assert told | asked == MANIFEST["default_permissions"]
    assert set(ONLY_EVENTS) == told.keys() - asked.keys()


async def propose(world: World) -> None:
    """What the App does only where its owners let it write contents."""
    github = client(world)
    base = await github.ensure_branch(REPO, BRANCH)
    await github.create_file(REPO, BRANCH, POLICY_PATH, "version: 1\n", message="Say it")
    number = await github.create_pull(REPO, head=BRANCH, base=base, title="t", body=MARKER)
    found = await github.find_proposal(REPO, BRANCH, login=f"{world.standin.slug}[bot]", marker=MARKER)
    assert found is not None
    assert (found.number, found.is_open, found.is_merged) == (number, True, False)


async def test_the_optional_permission_is_the_one_that_proposing_needs(world: World) -> None:
    with pytest.raises(Refused, match="not accessible by integration"):
        await propose(world)
    world.standin.permissions[ONBOARDING.name] = ONBOARDING.level
    await propose(world)
    asked = needed_permissions(world.standin.requests)
    chosen = render_permissions(propose=True)
    assert set(asked.items()) <= set(chosen.items())
    assert asked[ONBOARDING.name] == ONBOARDING.level
    assert {name for name, level in chosen.items() if MANIFEST["default_permissions"].get(name) != level} == {
        ONBOARDING.name
    }


def test_the_manifest_says_of_each_permission_what_the_one_table_says() -> None:
    text = Path("app.yml").read_text(encoding="utf-8")
    told = [f"  {one.name}: {one.level} # {one.reason}" for one in PERMISSIONS]
    assert "\n".join(("default_permissions:", *told, "default_events:")) in text
    assert MANIFEST["default_permissions"] == render_permissions(propose=False)


def test_without_reading_issues_nobody_tells_of_a_remark(world: World) -> None:
    open_two(world)
    for level in ("read", None):
        world.standin.permissions.pop("issues", None)
        world.standin.permissions |= {"issues": level} if level else {}
        with receiving() as receiver:
            world.server.deliver_to(receiver.url)
            world.standin.remark(REPO, 1, author="ann", body="/understudy help")
            world.server.drain()
        assert ("issue_comment.created" in receiver.kinds()) == (level == "read")


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
