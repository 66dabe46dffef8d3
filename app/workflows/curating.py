"""The durable curation of a pull request: the webhook is a hint, GitHub's answer now is the fact."""

from sqlmodel import Session

from app.store.learning import select_pulls_decided_by
from app.workflows.engine import current_workflow_id, enqueue_in_transaction, transaction, workflow
from app.workflows.harvesting import harvest_and_answer
from app.workflows.runs import Queue


@workflow("curate")
async def curate(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Let what was said on a pull request decide over its Examples.

    They are harvested anew first: only contents that were just read are bound.
    """
    return await harvest_and_answer(installation_id, repository, number)


@workflow("recheck_label")
async def recheck_label(installation_id: int, repository: str, label: str) -> int:
    """A label was renamed or deleted, which GitHub tells of no pull request: each that it decided about is curated
    again. Returns how many."""
    return await _enqueue_curations(installation_id, repository, label)


@transaction
def _enqueue_curations(session: Session, installation_id: int, repository: str, label: str) -> int:
    numbers = select_pulls_decided_by(session, installation_id, repository, f"label:{label}@")
    for number in numbers:
        enqueue_in_transaction(
            session,
            "curate",
            f"curate:{current_workflow_id()}:{number}",
            installation_id,
            repository,
            number,
            queue=Queue.GITHUB,
            partition=installation_id,
        )
    return len(numbers)
