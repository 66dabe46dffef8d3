"""What the dashboard is told of one installation's workflows, and asks of GitHub for it."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.domain.onboarding import Work
from app.github.policy_file import PolicyFile
from app.store.columns import utc_now
from app.store.database import reading
from app.store.repositories import find_repository
from app.store.tables import DeliveryRow, RepositoryRow
from app.workflows import engine
from app.workflows.consent import may
from app.workflows.context import services
from app.workflows.runs import RUNNING


async def fetch_permission(installation_id: int, repository: str, login: str, user_id: int | None) -> str:
    """As the App, now, on the very repository whose rows have that name here: GitHub may have given it away."""

    def find() -> RepositoryRow | None:
        with reading(services().database) as session:
            return find_repository(session, installation_id, repository)

    row = await asyncio.to_thread(find)
    if row is None:
        return "none"
    github = services().github(installation_id)
    return await github.fetch_permission(repository, login, user_id=user_id, repository_id=row.repository_id)


async def fetch_policy(installation_id: int, repository: str) -> PolicyFile:
    return await services().github(installation_id).fetch_policy(repository)


def read_clock(installation_id: int) -> datetime:
    """The time by its GitHub's clock."""
    return services().github(installation_id).as_told(utc_now())


async def may_decide(installation_id: int, repository: str) -> bool:
    """Whether the repository's owners said yes to anything being decided there."""
    return await may(Work.ACT, installation_id, repository)


def list_rounds(installation_id: int) -> list[dict[str, Any]]:
    """Learning rounds that wait or run, with their progress."""
    return [asdict(run) for run in engine.list_runs(RUNNING, id_prefix=f"learn:{installation_id}:")]


def load_round(workflow_id: str) -> dict[str, Any] | None:
    """One learning round, and as `is_running` whether it waits or runs."""
    run = engine.load_run(workflow_id)
    return None if run is None else {**asdict(run), "is_running": run.state in RUNNING}


def list_failures(installation_id: int) -> list[dict[str, Any]]:
    guids = sa.select(sa.literal("delivery:") + col(DeliveryRow.guid)).where(
        col(DeliveryRow.installation_id) == installation_id
    )
    return [asdict(run) for run in engine.list_failed_of(installation_id, guids)]


def read_schedule(installation_id: int) -> str | None:
    return services().schedules.get(installation_id)
