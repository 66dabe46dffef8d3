"""Records the newest merged pull requests of a live repository, as an archive and a mirror that can be rehearsed.

Only reading (`app/github/reading.py`), and with the requests that a harvest makes: one a page of pull requests, one a
pull request with up to 50 threads, and git.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.domain.base import canonical_json
from app.domain.errors import Refused, UserError
from app.domain.tenants import bot_login
from app.github.git import CommitGone, GitAccess, ensure_mirror, fetch_commits, fetch_refs, has_commit, read_git
from app.github.harvested import Account, HarvestedComment, HarvestedPull, HarvestedThread
from app.github.reading import ReadingClient
from app.rehearsal.archive import ArchivedComment, ArchivedPullRequest, ArchivedReply
from app.rehearsal.console import Narrator

_PAGE = 50
#: Heads fetched by one call of git.
_HEADS = 100


class Recorded(NamedTuple):
    """Where the recording lies; it can be played again without GitHub, by `--archive` and `--mirror`."""

    archive: Path
    mirror: Path


async def record_live(client: ReadingClient, repository: str, folder: Path, newest: int, story: Narrator) -> Recorded:
    """Read and clone. What an earlier recording fetched by git is not fetched again.

    Raises:
        UserError: when the repository has no merged pull request, or can't be seen with these credentials.
        RetryLater: when GitHub asks to wait; what git fetched stays.
    """
    try:
        branch = await client.fetch_default_branch(repository)
        pulls = [pull async for pull in _fetch_pulls(client, repository, newest, story)]
    except Refused as error:
        raise UserError(
            f"expected to read {repository} on {client.host}, got: {error}; the token must be allowed to read its "
            "metadata, contents and pull requests"
        ) from error
    if not pulls:
        raise UserError(f"expected merged pull requests in {repository}, found none; there is nothing to rehearse")
    rows = [archive_pull(pull) for pull in pulls]
    mirror = await asyncio.to_thread(ensure_mirror, folder, client.host, pulls[0].repository_id)
    url, access = client.git_url(repository), await client.fetch_git_access()
    story.progress("fetching the commits")
    kept = await asyncio.to_thread(_fetch_history, mirror, url, access, branch, rows)
    if len(kept) < len(rows):
        story.say(
            f"{len(rows) - len(kept)} pull requests are left out: {client.host} does not have their heads any more"
        )
    archive = folder / "pull-requests.jsonl"
    archive.write_text("".join(f"{canonical_json(row.model_dump(mode='json'))}\n" for row in kept), encoding="utf-8")
    return Recorded(archive, mirror)


async def _fetch_pulls(
    client: ReadingClient, repository: str, newest: int, story: Narrator
) -> AsyncIterator[HarvestedPull]:
    cursor, read = None, 0
    while read < newest:
        page = await client.fetch_merged(repository, size=min(_PAGE, newest - read), cursor=cursor)
        for listed in page.pulls:
            yield await client.fetch_harvest(repository, listed.number)
            read += 1
            story.progress(f"read {read} of {min(newest, page.total)} merged pull requests")
        cursor = page.cursor
        if cursor is None:
            return


def archive_pull(pull: HarvestedPull) -> ArchivedPullRequest:
    """As an archive's row; comments on whole files, and on commits that GitHub no longer names, have no place. Pure."""
    found = (_archive_thread(thread) for thread in pull.threads)
    return ArchivedPullRequest(
        repo=pull.repository,
        number=pull.number,
        title=pull.title,
        author=_login(pull.author),
        created_at=pull.created_at,
        head_sha=pull.head_sha,
        first_commit_parent=pull.base_sha,
        comments=tuple(comment for comment in found if comment is not None),
    )


def _archive_thread(thread: HarvestedThread) -> ArchivedComment | None:
    root, replies = thread.root, thread.comments[1:]
    if thread.is_file_comment or thread.original_line is None or root.original_commit_sha is None:
        return None
    return ArchivedComment(
        id=root.comment_id,
        user=_login(root.author),
        body=root.body,
        path=thread.path,
        diff_hunk=root.diff_hunk,
        side=thread.side,
        original_line=thread.original_line,
        original_commit_id=root.original_commit_sha,
        created_at=root.created_at,
        replies=tuple(_archive_reply(one) for one in replies),
    )


def _archive_reply(one: HarvestedComment) -> ArchivedReply:
    return ArchivedReply(id=one.comment_id, user=_login(one.author), created_at=one.created_at, body=one.body)


def _login(account: Account) -> str:
    """As REST has it, which tells machines by their name."""
    is_bare_bot = account.kind == "Bot" and not account.login.endswith("[bot]")
    return bot_login(account.login) if is_bare_bot else account.login


def _fetch_history(
    mirror: Path, url: str, access: GitAccess, branch: str, rows: list[ArchivedPullRequest]
) -> list[ArchivedPullRequest]:
    """The default branch, every head under GitHub's own name for it, and the commits that people commented on.

    Returns the rows whose head is there.
    """
    fetch_refs(mirror, url, [f"refs/heads/{branch}"], access=access)
    read_git(mirror, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    for start in range(0, len(rows), _HEADS):
        _fetch_heads(mirror, url, access, [f"refs/pull/{row.number}/head" for row in rows[start : start + _HEADS]])
    kept = [row for row in rows if has_commit(mirror, f"refs/pull/{row.number}/head")]
    for row in kept:
        wanted = {comment.original_commit_id for comment in row.comments} | {row.first_commit_parent or row.head_sha}
        missing = sorted(sha for sha in wanted if not has_commit(mirror, sha))
        if missing:
            with suppress(CommitGone):  # a force-push left it behind; the rehearsal reads the head instead
                fetch_commits(mirror, url, number=row.number, shas=missing, access=access)
    return kept


def _fetch_heads(mirror: Path, url: str, access: GitAccess, heads: list[str]) -> None:
    """In one go, or one by one where one of them is gone."""
    try:
        fetch_refs(mirror, url, heads, access=access)
    except CommitGone:
        for head in heads:
            with suppress(CommitGone):
                fetch_refs(mirror, url, [head], access=access)
