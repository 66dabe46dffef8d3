"""The durable curation of a pull request: the webhook is a hint, GitHub's answer now is the fact."""

import asyncio

from app.store.database import reading
from app.store.learning import select_examples
from app.workflows.context import services
from app.workflows.engine import progress, step, workflow
from app.workflows.harvesting import curate_pull_request, harvest_pull_request


@workflow("curate")
async def curate(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Let the labels of a pull request decide over its Examples, harvesting it first when it has none yet."""
    found: dict[str, int] = {}
    if not await _has_examples(installation_id, repository, number):
        await progress(stage="harvest")
        found = await harvest_pull_request(installation_id, repository, number)
        found.pop("curable")
    await progress(stage="curation")
    return found | await curate_pull_request(installation_id, repository, number)


@step()
async def _has_examples(installation_id: int, repository: str, number: int) -> bool:
    def count() -> bool:
        with reading(services().database) as session:
            return bool(select_examples(session, installation_id, repository=repository, pull_request=number))

    return await asyncio.to_thread(count)
