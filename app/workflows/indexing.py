"""The durable indexing of what a repository says about itself, for the base model's question.

Only where the owners let the base review: elsewhere nothing is read, and what was read goes. Started by a push to the
default branch and by the sweep where the webhook was lost. Each portion is saved as it is read, the head last, so a run
that was killed, or ran out of time, is gone on with.
"""

import asyncio
from itertools import islice
from pathlib import Path

from sqlmodel import Session

from app.domain.erasure import ErasureKind, Forgotten, subject_key
from app.domain.policies import RepositoryPolicy
from app.domain.review_policy import WithoutAdapter
from app.github.git import CommitGone, ensure_mirror, fetch_default_branch, fetch_default_head, lock_mirror
from app.history.indexing import MOST_PIECES, list_contents, plan_index, read_contents
from app.store.database import reading, writing
from app.store.deliveries import load_installation
from app.store.erasures import load_forgotten
from app.store.references import (
    Library,
    count_references,
    save_indexed_files,
    save_references,
    select_indexed_files,
    select_references,
)
from app.store.repositories import load_repository, save_indexed_head
from app.store.tables import RepositoryRow
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, progress, step, workflow
from app.workflows.pull_commits import Source
from app.workflows.retrieving import embed
from app.workflows.runs import Queue

#: After reviews and harvests: nobody waits for it.
INDEX_PRIORITY = 1_000
#: Contents saved in one transaction: how long others wait to write.
_PORTION = 100


def index_workflow_id(host: str, repository_id: int, key: str) -> str:
    return f"index:{host}:{repository_id}:{key}"


def enqueue_index(session: Session, row: RepositoryRow, key: str) -> None:
    """Once per `key`, if the session's transaction commits."""
    enqueue_in_transaction(
        session,
        "index",
        index_workflow_id(services().host_of(row.installation_id).name, row.repository_id, key),
        row.installation_id,
        row.repository_id,
        queue=Queue.GITHUB,
        partition=row.installation_id,
        priority=INDEX_PRIORITY,
    )


@workflow("index")
async def index(installation_id: int, repository_id: int) -> dict[str, int]:
    """Returns counts: `files` that are indexed, `read` contents that were new, `saved` pieces; empty for a repository
    that is not watched, and zeros where nothing may be read."""
    await progress(stage="index")
    return await index_repository(installation_id, repository_id)


@step()
async def index_repository(installation_id: int, repository_id: int) -> dict[str, int]:
    row = await asyncio.to_thread(_load_row, installation_id, repository_id)
    if row is None:
        return {}
    github = services().github(installation_id)
    policy = (await github.fetch_policy(row.full_name)).policy
    source = Source(github.git_url(row.full_name), await github.fetch_git_access())
    counts = await asyncio.to_thread(_index, row, policy, source)
    await embed(installation_id, await asyncio.to_thread(_load_texts, row), [])  # so that no review waits for it
    return counts


def _load_texts(row: RepositoryRow) -> list[str]:
    with reading(services().database) as session:
        return [one.text for one in select_references(session, _library(row))]


def _library(row: RepositoryRow) -> Library:
    return Library(row.installation_id, row.repository_id, row.full_name)


def is_indexed(policy: RepositoryPolicy) -> bool:
    """Whether anybody reads the index: the base does, where it may review."""
    return policy.is_reviewing and policy.review.without_adapter is WithoutAdapter.BASE


def _load_row(installation_id: int, repository_id: int) -> RepositoryRow | None:
    with reading(services().database) as session:
        installation = load_installation(session, installation_id)
        if installation is None or installation.state != "active":
            return None
        return load_repository(session, installation_id, repository_id)


def _index(row: RepositoryRow, policy: RepositoryPolicy, source: Source) -> dict[str, int]:
    mirror = ensure_mirror(services().data / "mirrors", services().host_of(row.installation_id).name, row.repository_id)
    library = _library(row)
    with reading(services().database) as session:
        forgotten = load_forgotten(session, row.installation_id)
    if not is_indexed(policy) or subject_key(ErasureKind.REPOSITORY, row.full_name) in forgotten.keys:
        return _settle(library, {}, fetch_default_head(mirror, source.url, access=source.access))
    with lock_mirror(mirror):
        try:
            head = fetch_default_branch(mirror, source.url, access=source.access)
        except CommitGone:  # an empty repository
            return _settle(library, {}, None)
        return _read_on(library, mirror, head, forgotten)


def _read_on(library: Library, mirror: Path, head: str, forgotten: Forgotten) -> dict[str, int]:
    with reading(services().database) as session:
        indexed = select_indexed_files(session, library)
    known = set(indexed.values())
    plan = plan_index(list_contents(mirror, head), known)
    held = _forget_others(library, indexed, set(plan.files.values()))
    passages = read_contents(
        mirror,
        plan.unread,
        repository=library.repository,
        room=max(0, MOST_PIECES - held),
        permit=lambda one: not forgotten.is_named_in(one.model_dump(mode="json")),
    )
    read, saved = set[str](), 0
    while portion := list(islice(passages, _PORTION)):
        with writing(services().database) as session:
            saved += sum(save_references(session, library, one.content, one.found) for one in portion)
        read.update(one.content for one in portion)
    files = {path: content for path, content in plan.files.items() if content in read or content in known}
    # A head whose documentation is more than is kept is done: asked again, it would end in the same.
    is_done = len(files) == len(plan.files) or held + saved >= MOST_PIECES
    counts = _settle(library, files, head if is_done else None)
    return counts | {"read": len(read), "saved": saved}


def _forget_others(library: Library, indexed: dict[str, str], wanted: set[str]) -> int:
    """Before anything is read: what a new head no longer holds takes no room. Returns how many pieces are left."""
    with writing(services().database) as session:
        save_indexed_files(session, library, {path: one for path, one in indexed.items() if one in wanted})
        return count_references(session, library)


def _settle(library: Library, files: dict[str, str], head: str | None) -> dict[str, int]:
    """What is indexed from now on."""
    with writing(services().database) as session:
        save_indexed_files(session, library, files)
        save_indexed_head(session, library.installation_id, library.repository_id, head)
    return {"files": len(files), "read": 0, "saved": 0}
