"""The durable harvest of a merged pull request, and the curation of what it found.

The step may run twice: it reads GitHub and git anew and replaces the pull request's Examples and Rejections in one
transaction, so that running it again changes nothing. Texts of the repository go to our tables, never to the journal.
"""

import asyncio

from app.curation.decision import APPROVE_LABEL, REJECT_LABEL
from app.curation.labels import fetch_label_states
from app.curation.recording import Scope, record_curation
from app.domain.erasure import Forgotten
from app.domain.written import author_key
from app.harvest.gathering import gather
from app.harvest.pull_request import Harvest
from app.store.database import reading, writing
from app.store.erasures import load_forgotten
from app.store.learning import (
    delete_judgements,
    save_examples,
    save_rejections,
    select_approvals_in_force,
)
from app.store.repositories import save_harvested
from app.store.tables import HarvestedRow
from app.workflows.context import services
from app.workflows.engine import progress, step, workflow


@workflow("harvest")
async def harvest(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Harvest a merged pull request, then let its labels decide again. Returns what was found and decided, counted."""
    await progress(stage="harvest")
    found = await harvest_pull_request(installation_id, repository, number)
    if not found.pop("curable"):
        return found
    await progress(stage="curation")
    return found | await curate_pull_request(installation_id, repository, number)


@step()
async def harvest_pull_request(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Counts: `merged`, `examples`, `rejections`, and `curable` when there is a label or a decision to look at."""
    held = services()
    gathered = await gather(
        held.github(installation_id), held.data / "mirrors", host=held.host, repository=repository, number=number
    )
    labelled = bool({APPROVE_LABEL, REJECT_LABEL}.intersection(gathered.labels))
    found = gathered.harvest or Harvest(examples=(), rejections=())
    if gathered.harvest is not None:
        row = HarvestedRow(
            installation_id=installation_id,
            repository_id=gathered.repository_id,
            pull_request=number,
            repository=repository,
            head_sha=gathered.head_sha,
            author=author_key(gathered.author),
        )
        found = await asyncio.to_thread(_replace, row, found, gathered.author)
    return {
        "merged": int(gathered.harvest is not None),
        "examples": len(found.examples),
        "rejections": len(found.rejections),
        "curable": int(labelled or await asyncio.to_thread(_is_decided, installation_id, repository, number)),
    }


def _replace(row: HarvestedRow, found: Harvest, author: str) -> Harvest:
    """What was kept: nothing of a pull request or person that asked to be forgotten comes back."""
    with writing(services().database) as session:
        kept = select_permitted(found, row, author, load_forgotten(session, row.installation_id))
        delete_judgements(session, row.installation_id, row.repository, row.pull_request)
        save_examples(session, row.installation_id, kept.examples, "harvest")
        save_rejections(session, row.installation_id, kept.rejections)
        save_harvested(session, row)
    return kept


def select_permitted(found: Harvest, row: HarvestedRow, author: str, forgotten: Forgotten) -> Harvest:
    """Pure."""
    if forgotten.is_pull(row.repository, row.pull_request, author):
        return Harvest(examples=(), rejections=())
    return Harvest(
        examples=tuple(item for item in found.examples if not forgotten.is_named_in(item.model_dump(mode="json"))),
        rejections=tuple(item for item in found.rejections if not forgotten.is_named_in(item.model_dump(mode="json"))),
    )


def _is_decided(installation_id: int, repository: str, number: int) -> bool:
    with reading(services().database) as session:
        in_force = select_approvals_in_force(session, installation_id).values()
        return any((row.repository, row.pull_request) == (repository, number) for row in in_force)


@step()
async def curate_pull_request(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Read the labels, decide, record. New decisions by verdict, and `refused` labels."""
    scope = Scope(installation_id=installation_id, repository=repository, number=number)
    labels = await fetch_label_states(services().github(installation_id), repository, number)

    def record() -> dict[str, int]:
        with writing(services().database) as session:
            return record_curation(session, scope, labels)

    return await asyncio.to_thread(record)
