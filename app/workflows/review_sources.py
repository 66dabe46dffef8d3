"""What a review is made from besides the model: the changed files, and what the repository says and shows of itself."""

import asyncio
from functools import partial
from typing import Any

from app.domain.attributes import ATTRIBUTES_PATH, parse_attributes
from app.github.client import GitHubClient
from app.history.scope_reader import read_scopes
from app.review.coverage import ChangedFile
from app.review.looking import Surroundings
from app.review.unseen import collect_names
from app.store.database import reading
from app.store.learning import select_approved_examples
from app.workflows.context import services


async def fetch_changed(github: GitHubClient, repository: str, number: int) -> tuple[ChangedFile, ...]:
    listed = await github.fetch_files(repository, number)
    return tuple(
        ChangedFile(path=item["filename"], status=item["status"], patch=item.get("patch"), changes=int(item["changes"]))
        for item in listed
    )


async def fetch_customs(installation_id: int, github: GitHubClient, repository: str) -> dict[str, Any]:
    """As arguments of a draft: `.gitattributes` of the default branch, and the names that reviewers here use."""
    marked = await github.fetch_text(repository, "HEAD", ATTRIBUTES_PATH)
    vocabulary = await asyncio.to_thread(_load_vocabulary, installation_id, repository)
    # Strangers' text and up to 2,000 patterns: not on the loop that answers webhooks.
    attributes = await asyncio.to_thread(parse_attributes, marked or "")
    return {"attributes": attributes, "vocabulary": vocabulary}


def make_surroundings(github: GitHubClient, repository: str, head_sha: str) -> Surroundings:
    return Surroundings(read=partial(github.fetch_text, repository, head_sha), find_scopes=read_scopes)


def _load_vocabulary(installation_id: int, repository: str) -> frozenset[str]:
    with reading(services().database) as session:
        rows = select_approved_examples(session, installation_id)
        return collect_names(str(row.payload.get("body") or "") for row in rows if row.repository == repository)
