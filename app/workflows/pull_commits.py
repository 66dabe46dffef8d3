"""Which commits a pull request became in the history: by git, by our tables, and by GitHub where they lack it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from app.domain.erasure import Forgotten
from app.domain.errors import Refused
from app.domain.policies import RepositoryPolicy
from app.github.git import (
    PULL_REF,
    CommitGone,
    GitAccess,
    ensure_mirror,
    fetch_default_branch,
    fetch_pull_head,
    has_commit,
    lock_mirror,
)
from app.history.permitted import (
    KeptOut,
    ListedCommit,
    fetch_listing,
    fetch_pull_commits,
    fetch_trunk,
    select_left_out,
)
from app.store.database import reading, writing
from app.store.repositories import save_merge_commits, select_merge_commits
from app.store.tables import RepositoryRow
from app.workflows.context import services


class Source(NamedTuple):
    """Where git finds the repository."""

    url: str
    access: GitAccess


class Place(NamedTuple):
    """A locked mirror that has the default branch up to `head`. Without a source it is all there is to be had."""

    mirror: Path
    source: Source | None
    head: str


async def fetch_merges(row: RepositoryRow, numbers: frozenset[int]) -> dict[int, str]:
    """What the merges of these pull requests made on the base branch, for those that are merged.

    One request for each that our tables do not know it of.
    """
    known = await asyncio.to_thread(_load_merges, row, numbers)
    told = {number: await _fetch_merge(row, number) for number in sorted(numbers - known.keys())}
    new = {number: sha for number, sha in told.items() if sha is not None}
    if new:
        await asyncio.to_thread(_save_merges, row, new)
    return known | new


async def _fetch_merge(row: RepositoryRow, number: int) -> str | None:
    try:
        pull = await services().github(row.installation_id).fetch_pull(row.full_name, number)
    except Refused:  # the pull request, the repository or the installation is gone: GitHub will never tell
        return None
    # An open one has a commit here, too: the merge that GitHub tries out, which is in no history.
    return pull["merge_commit_sha"] if pull.get("merged") else None


def _load_merges(row: RepositoryRow, numbers: frozenset[int]) -> dict[int, str]:
    with reading(services().database) as session:
        return select_merge_commits(session, row.installation_id, row.repository_id, numbers)


def _save_merges(row: RepositoryRow, found: Mapping[int, str]) -> None:
    with writing(services().database) as session:
        save_merge_commits(session, row.installation_id, row.repository_id, found)


def fetch_kept_out(
    at: Place, numbers: frozenset[int], merges: Mapping[int, str], *, moving: frozenset[int] = frozenset()
) -> KeptOut:
    """The commits of these pull requests; of `moving` ones as they are now, for they may be open."""
    trunk = fetch_trunk(at.mirror, at.head) if numbers else ()
    commits: list[ListedCommit] = []
    for number in sorted(numbers):
        head = _ensure_pull_head(at, number, is_moving=number in moving)
        if head is not None:
            commits += fetch_pull_commits(at.mirror, trunk, head)
    return KeptOut(numbers, tuple(commits), frozenset(merges.values()))


def _ensure_pull_head(at: Place, number: int, *, is_moving: bool) -> str | None:
    held = PULL_REF.format(number=number)
    is_held = has_commit(at.mirror, held)
    if at.source is None or (is_held and not is_moving):
        return held if is_held else None
    try:
        return fetch_pull_head(at.mirror, at.source.url, number, access=at.source.access)
    except CommitGone:
        return held if is_held else None


async def fetch_recorded_commits(row: RepositoryRow, numbers: frozenset[int]) -> frozenset[str]:
    """Commits of the history, as far as it was read, that these pull requests became. Empty where it never was."""
    head = row.history_head or row.seen_head
    if head is None or not numbers:
        return frozenset()
    merges = await fetch_merges(row, numbers)
    github = services().github(row.installation_id)
    try:
        source = Source(github.git_url(row.full_name), await github.fetch_git_access())
    except Refused:  # uninstalled meanwhile: what the mirror holds has to do
        source = None
    return await asyncio.to_thread(_select_recorded, row, head, source, numbers, merges)


def _select_recorded(
    row: RepositoryRow, head: str, source: Source | None, numbers: frozenset[int], merges: Mapping[int, str]
) -> frozenset[str]:
    mirror = ensure_mirror(services().data / "mirrors", services().host_of(row.installation_id).name, row.repository_id)
    with lock_mirror(mirror):
        if not has_commit(mirror, head):  # the mirror was removed, or the branch was rewritten
            if source is None:
                return frozenset(merges.values())
            head = fetch_default_branch(mirror, source.url, access=source.access)
        kept_out = fetch_kept_out(Place(mirror, source, head), numbers, merges)
        commits = fetch_listing(mirror, head)
    return select_left_out(commits, RepositoryPolicy(), Forgotten(), kept_out)
