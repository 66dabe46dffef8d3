"""A history that was never told by webhooks is harvested: newest first, once, within GitHub's limits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import UserError
from app.github.listed import RateLimit
from app.store.database import reading, writing
from app.store.deliveries import save_installation
from app.store.repositories import select_harvested_heads
from app.store.tables import InstallationRow, RepositoryRow
from app.workflows import backfilling, engine
from app.workflows.backfilling import decide_pause, describe_backfill, estimate_left
from app.workflows.runs import RUNNING, State
from tests.integration.team import REPO, SERVICE, Team, assembled_team
from tests.waiting import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
PRINT = CHANGED.split("\n").index("    print(order)") + 1


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Team]:
    """A team with seven merged pull requests and one that is open."""
    with assembled_team(tmp_path) as team:
        for day in range(8):
            number, sha = team.open({"service.py": CHANGED, f"notes-{day}.md": "one\n"}, day=day)
            team.say(number, sha, PRINT, f"Never print here, as on day {day}.")
            if day != 3:
                team.standin.merge(REPO, number, by="mara")
        with writing(team.services.database) as session:
            save_installation(session, InstallationRow(id=team.installation_id, host="github.test", account="acme"))
        yield team


def harvested(team: Team) -> dict[int, str]:
    repository_id = team.standin.repository(REPO).id
    with reading(team.services.database) as session:
        return select_harvested_heads(session, team.installation_id, repository_id, range(1, 100))


def asked_for(team: Team) -> list[int]:
    """Pull requests in the order in which they were harvested."""
    return [
        record.pull_request for record in team.standin.requests if record.route == "/graphql" and record.pull_request
    ]


def settle() -> None:
    eventually(lambda: not engine.list_runs((State.ENQUEUED, State.PENDING)), timeout_seconds=90)


def test_newest_first_once_and_within_the_budget(installed: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "PAGE", 3)

    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()

    merged = {number: pull for number, pull in installed.standin.repository(REPO).pulls.items() if pull.merged_at}
    assert harvested(installed) == {number: pull.head_sha for number, pull in merged.items()}
    assert asked_for(installed) == [8, 7, 6, 5, 3, 2, 1]
    per_pull = [
        sum(record.pull_request == number and record.route != "git" for record in installed.standin.requests)
        for number in merged
    ]
    assert max(per_pull) <= 12
    (shown,) = backfilling.read_backfills()
    assert (shown["done"], shown["total"], shown["listed"], shown["seconds_left"]) == (7, 7, 7, 0)
    assert shown["stage"] == "listed"

    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()
    assert len(asked_for(installed)) == 7


def test_no_journal_entry_holds_more_than_a_page(installed: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "PAGE", 3)
    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()
    assert len(engine.list_runs((State.SUCCESS,), id_prefix="backfill_page:")) == 3
    assert len(engine.list_runs((State.SUCCESS,), id_prefix="harvest:")) == 7


def test_what_a_webhook_harvested_is_not_harvested_again(installed: Team) -> None:
    installed.run("harvest", 5)
    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()
    assert sorted(asked_for(installed)) == [1, 2, 3, 5, 6, 7, 8]


def test_it_waits_outside_the_queue_while_the_limit_is_nearly_used_up(installed: Team) -> None:
    limits = installed.standin.limits.graphql
    installed.run("harvest", 1)  # the hour begins
    limits.used = limits.limit - 700

    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()

    (waiting,) = engine.list_runs((State.DELAYED,))
    assert waiting.name == "backfill_page"
    (page,) = engine.list_runs((State.SUCCESS,), id_prefix="backfill_page:")
    assert page.progress is not None
    assert 3_000 < page.progress["seconds"] <= 3_601
    assert asked_for(installed) == [1]
    installed.run("harvest", 2)  # what a webhook asks for is not held up
    assert set(harvested(installed)) == {1, 2}


def test_a_removed_installation_ends_it(installed: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfilling, "PAGE", 3)
    row = InstallationRow(id=installed.installation_id, host="github.test", account="acme", state="suspended")
    installed.standin.faults.before(
        "GET", "/installation/repositories", lambda: _save(installed, row)
    )  # between the start and the first page
    engine.wait(backfilling.start_backfill(installed.installation_id), timeout_seconds=60)
    settle()
    assert asked_for(installed) == []
    assert not engine.list_runs(RUNNING)
    with pytest.raises(UserError, match="expected an active installation, got one that is suspended"):
        backfilling.start_backfill(installed.installation_id)


def _save(team: Team, row: InstallationRow) -> None:
    with writing(team.services.database) as session:
        save_installation(session, row)


def a_limit(remaining: int, *, resource: str = "core", limit: int = 5_000, minutes: int = 20) -> RateLimit:
    return RateLimit(resource=resource, limit=limit, remaining=remaining, resets_at=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("limits", "pause"),
    [
        ((), 0.0),
        ((a_limit(800),), 0.0),
        ((a_limit(799),), 1_201.0),
        ((a_limit(5_000), a_limit(10, resource="graphql", minutes=50)), 3_001.0),
        ((a_limit(10, minutes=-1),), 0.0),
        ((a_limit(60, limit=60),), 0.0),
        ((a_limit(59, limit=60),), 1_201.0),
    ],
)
def test_the_pause(limits: tuple[RateLimit, ...], pause: float) -> None:
    assert decide_pause(limits, 300, NOW) == pause


def test_the_estimate() -> None:
    row = RepositoryRow(installation_id=1, repository_id=2, full_name="o/r", total=60, done_before=10, listed=25)
    row.backfill_began_at = NOW - timedelta(seconds=20)
    assert describe_backfill(row, 20, NOW)["seconds_left"] == 80
    assert estimate_left(0, 5, timedelta(seconds=9)) is None
    assert estimate_left(5, 0, timedelta(seconds=9)) == timedelta(0)
    unknown: dict[str, Any] = describe_backfill(row, 10, NOW)
    assert unknown["seconds_left"] is None
