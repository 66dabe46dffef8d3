"""A repository is renamed on GitHub and its name taken again: an event tells, and a harvest finds what was approved."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.curation.recording import Scope, record_dashboard
from app.domain.examples import Example
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import save_installation
from app.store.learning import select_approved_examples, select_examples
from app.store.renaming import name_waiting
from app.store.repositories import ensure_repository, load_repository
from app.store.tables import DeliveryRow, InstallationRow
from app.workflows import engine
from app.workflows.deliveries import act
from app.workflows.runs import Queue
from tests.integration.curation.test_dashboard import MARA, merged
from tests.integration.team import REPO, Team, assembled_team

NEW = "acme/shop"
MALLORYS = 20


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Team]:
    with assembled_team(tmp_path) as team:
        with writing(team.services.database) as session:
            row = InstallationRow(id=team.installation_id, host="github.test", account="acme")
            save_installation(session, row)
            ensure_repository(session, team.installation_id, team.standin.repository(REPO).id, REPO)
        yield team


def rename(team: Team) -> int:
    """On GitHub; its id."""
    repository = team.standin.repositories[NEW] = team.standin.repositories.pop(REPO)
    repository.full_name = NEW
    return repository.id


def tell(team: Team, action: str, repository_id: int, name: str, event: str = "repository") -> str:
    """Intake stored an event, and it is acted upon."""
    payload = {
        "action": action,
        "installation": {"id": team.installation_id},
        "repository": {"id": repository_id, "full_name": name},
        "label": {"name": "fine"},
    }
    body = json.dumps(payload).encode()
    row = DeliveryRow(guid=f"github.test:{action}-{repository_id}", event=event, action=action, body=body)
    with writing(team.services.database) as session:
        return act(session, row)


def approve(team: Team, number: int, example: str) -> None:
    scope = Scope(installation_id=team.installation_id, repository=REPO, number=number)
    with writing(team.services.database) as session:
        record_dashboard(session, scope, example, "approve", MARA, at=utc_now())


def harvest(team: Team, name: str, number: int) -> dict[str, int]:
    mine = team.installation_id
    engine.start("harvest", f"harvest:{name}", mine, name, number, queue=Queue.GITHUB, partition=mine)
    found = engine.wait(f"harvest:{name}", timeout_seconds=60)
    assert isinstance(found, dict)
    return found


def approved(team: Team, name: str) -> list[Example]:
    with reading(team.services.database) as session:
        rows = [row for row in select_approved_examples(session, team.installation_id) if row.repository == name]
    return [Example.model_validate(row.payload) for row in rows]


@pytest.mark.parametrize("action", ["renamed", "transferred"])
def test_an_event_tells_of_the_new_name(alone: Team, action: str) -> None:
    number, _, example = merged(alone)
    approve(alone, number, example)
    assert tell(alone, action, rename(alone), NEW) == f"repository: {action}"
    assert [one.hash for one in approved(alone, NEW)] == [example]
    assert approved(alone, REPO) == []


@pytest.mark.parametrize("is_told", [True, False])
def test_a_harvest_under_the_new_name_finds_what_was_approved(alone: Team, is_told: bool) -> None:
    number, _, example = merged(alone)
    approve(alone, number, example)
    with reading(alone.services.database) as session:
        before = {row.hash for row in select_examples(session, alone.installation_id)}
    repository_id = rename(alone)
    if is_told:
        tell(alone, "renamed", repository_id, NEW)
    assert harvest(alone, NEW, number)["examples"] == len(before)
    with reading(alone.services.database) as session:
        rows = select_examples(session, alone.installation_id, repository=NEW)
        assert {row.hash for row in rows} == {row.hash for row in select_examples(session, alone.installation_id)}
        assert {row.hash for row in rows} == before
    assert [(one.hash, one.repository) for one in approved(alone, NEW)] == [(example, REPO)]


def test_any_event_of_who_took_the_name_moves_the_rows_away(alone: Team) -> None:
    number, _, example = merged(alone)
    approve(alone, number, example)
    vault = alone.standin.repository(REPO).id
    tell(alone, "created", MALLORYS, REPO, event="label")
    assert approved(alone, REPO) == []
    assert [one.hash for one in approved(alone, name_waiting(REPO, vault))] == [example]
    tell(alone, "renamed", vault, NEW)
    assert [one.hash for one in approved(alone, NEW)] == [example]
    with reading(alone.services.database) as session:
        assert load_repository(session, alone.installation_id, MALLORYS) is None  # its first sweep begins with it
