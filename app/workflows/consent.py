"""May anything happen in this repository? One question, asked wherever something would be read, shown or decided."""

from app.domain.app_permissions import may_propose
from app.domain.onboarding import Onboarding, Work, decide_first, is_allowed
from app.store.database import reading, writing
from app.store.repositories import find_repository, load_repository, load_waiting, save_first_place
from app.workflows.context import services


async def find_place(installation_id: int, repository: str, repository_id: int | None = None) -> Onboarding:
    """Where a repository is in its onboarding, by its id where that is known. One without a place gets it now, by what
    its owners granted: a later grant changes nothing for repositories that began before."""
    with reading(services().database) as session:
        known = None if repository_id is None else load_repository(session, installation_id, repository_id)
        row = find_repository(session, installation_id, repository) if repository_id is None else known
    if row is not None and row.onboarding is not None:
        return Onboarding(row.onboarding)
    place = decide_first(may_propose=may_propose(await services().github(installation_id).fetch_granted()))
    if row is not None:
        with writing(services().database) as session:
            save_first_place(session, installation_id, row.repository_id, place)
    return place


async def may(work: Work, installation_id: int, repository: str) -> bool:
    return is_allowed(await find_place(installation_id, repository), work)


def select_without_consent(installation_id: int) -> frozenset[str]:
    """Names of repositories whose owners did not say yes: nothing of them is learned."""
    with reading(services().database) as session:
        return load_waiting(session, installation_id)
