"""Gathering one pull request: the threads from GitHub, the commits into the mirror, the harvest out of both."""

import asyncio
from pathlib import Path

from app.domain.base import Record
from app.github.client import GitHubClient
from app.github.git import ensure_mirror, fetch_commits
from app.github.harvested import HarvestedPull
from app.harvest.history import open_history
from app.harvest.pull_request import Harvest, commits_of, harvest_pull


class Gathered(Record):
    """`harvest` is None while the pull request is not merged: what was said may still be acted on."""

    repository_id: int
    head_sha: str
    author: str
    labels: tuple[str, ...]
    harvest: Harvest | None


async def gather(client: GitHubClient, mirrors: Path, *, host: str, repository: str, number: int) -> Gathered:
    """One GraphQL request for most pull requests and one git fetch. Changes nothing but the mirror."""
    found = await client.fetch_harvest(repository, number)
    pull = found.model_copy(update={"host": host, "repository": repository})
    harvest = None
    if pull.merged:
        token = await client.fetch_git_token()
        url = client.git_url(found.repository)  # git follows no rename
        harvest = await asyncio.to_thread(_harvest, pull, mirrors, url, token)
    return Gathered(
        repository_id=pull.repository_id,
        head_sha=pull.head_sha,
        author=pull.author.login,
        labels=pull.labels,
        harvest=harvest,
    )


def _harvest(pull: HarvestedPull, mirrors: Path, url: str, token: str) -> Harvest:
    mirror = ensure_mirror(mirrors, pull.host, pull.repository_id)
    with open_history(mirror) as history:
        fetch_commits(mirror, url, number=pull.number, shas=commits_of(pull), token=token)
        return harvest_pull(pull, history)
