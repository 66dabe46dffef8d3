"""What looking costs: questions to GitHub, of which reviews live, too."""

import asyncio

import pytest

from app.store.tables import InstallationRow
from app.web.dashboard.access import Access, Viewer, decide_age

HOUR = 3_600
READER = Viewer(key="k", csrf="c", login="mara", user_id=7, is_operator=False, installations=frozenset({11}))


@pytest.mark.parametrize("repositories", [1, 10, 100, 400])
def test_who_looks_all_the_time_asks_a_thousand_questions_an_hour_at_most(repositories: int) -> None:
    asked: list[str] = []
    now = [0.0]

    async def permission(installation_id: int, repository: str, login: str, user_id: int | None) -> str:
        assert (installation_id, login, user_id) == (11, "mara", 7)
        asked.append(repository)
        return "write"

    access = Access(permission, clock=lambda: now[0])
    names = {f"acme/r{number}": number for number in range(repositories)}

    async def look_for_an_hour() -> None:
        while now[0] < HOUR:
            assert await access.look(READER, InstallationRow(id=11, host="h", account="acme"), names)
            now[0] += 30

    asyncio.run(look_for_an_hour())
    assert len(asked) <= 1_000 + repositories  # those of the first moment
    assert len(asked) >= 2 * repositories


def test_few_repositories_are_asked_about_each_minute() -> None:
    assert decide_age(1) == decide_age(16) == 60
    assert decide_age(100) == 360
