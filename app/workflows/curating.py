"""The durable curation of a pull request: the webhook is a hint, GitHub's answer now is the fact."""

from app.workflows.engine import workflow
from app.workflows.harvesting import harvest_and_answer


@workflow("curate")
async def curate(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Let what was said on a pull request decide over its Examples.

    They are harvested anew first: only contents that were just read are bound.
    """
    return await harvest_and_answer(installation_id, repository, number)
