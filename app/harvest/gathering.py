"""Gathering one pull request: the threads from GitHub, the commits into the mirror, the harvest out of both."""

import asyncio
from contextlib import suppress
from pathlib import Path

from app.github.client import GitHubClient
from app.github.git import CommitGone, GitAccess, ensure_mirror, fetch_commits, keep_commit, lock_mirror
from app.github.harvested import HarvestedPull
from app.harvest.history import open_history
from app.harvest.pull_request import Harvest, commits_of, harvest_pull


async def fetch_pull(client: GitHubClient, *, host: str, repository: str, number: int) -> tuple[HarvestedPull, str]:
    """What GitHub tells of a pull request now, under the names that we know it by, and where git finds its commits.

    One request for most.
    """
    found = await client.fetch_harvest(repository, number)
    url = client.git_url(found.repository)  # git follows no rename
    return found.model_copy(update={"host": host, "repository": repository}), url


async def gather(client: GitHubClient, mirrors: Path, pull: HarvestedPull, url: str) -> Harvest:
    """One git fetch. Changes nothing but the mirror."""
    return await asyncio.to_thread(_harvest, pull, mirrors, url, await client.fetch_git_access())


def _harvest(pull: HarvestedPull, mirrors: Path, url: str, access: GitAccess) -> Harvest:
    mirror = ensure_mirror(mirrors, pull.host, pull.repository_id)
    with open_history(mirror) as history:
        fetch_commits(mirror, url, number=pull.number, shas=commits_of(pull), access=access)
        return harvest_pull(pull, history)


async def fetch_commented_commit(
    client: GitHubClient, mirrors: Path, *, host: str, repository_id: int, repository: str, number: int, sha: str
) -> bool:
    """Fetch a commit that was commented on and hold it, before a force-push takes it away. No API request.

    False when GitHub does not have it any more.
    """
    access = await client.fetch_git_access()
    url = client.git_url(repository)

    def fetch() -> bool:
        mirror = ensure_mirror(mirrors, host, repository_id)
        with lock_mirror(mirror):
            with suppress(CommitGone):  # no such pull request any more; an earlier fetch may have brought the commit
                fetch_commits(mirror, url, number=number, shas=[sha], access=access)
            return keep_commit(mirror, sha)

    return await asyncio.to_thread(fetch)
