"""What the dashboard is told of one installation's workflows, and asks of GitHub for it."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.github.policy_file import PolicyFile
from app.store.tables import DeliveryRow
from app.workflows import engine
from app.workflows.context import services
from app.workflows.runs import RUNNING


async def fetch_permission(installation_id: int, repository: str, login: str, user_id: int | None) -> str:
    """As the App, now."""
    return await services().github(installation_id).fetch_permission(repository, login, user_id=user_id)


async def fetch_policy(installation_id: int, repository: str) -> PolicyFile:
    return await services().github(installation_id).fetch_policy(repository)


def list_rounds(installation_id: int) -> list[dict[str, Any]]:
    """Learning rounds that wait or run, with their progress."""
    return [asdict(run) for run in engine.list_runs(RUNNING, id_prefix=f"learn:{installation_id}:")]


def load_round(workflow_id: str) -> dict[str, Any] | None:
    run = engine.load_run(workflow_id)
    return None if run is None else asdict(run)


def list_failures(installation_id: int) -> list[dict[str, Any]]:
    guids = sa.select(sa.literal("delivery:") + col(DeliveryRow.guid)).where(
        col(DeliveryRow.installation_id) == installation_id
    )
    return [asdict(run) for run in engine.list_failed_of(installation_id, guids)]


def read_schedule(installation_id: int) -> str | None:
    return services().schedules.get(installation_id)
