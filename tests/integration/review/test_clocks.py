"""Clocks that disagree: GitHub's is two minutes off, tokens end in the middle of the pages, the hour is changed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.curation.decision import APPROVE_LABEL
from app.workflows.triggers import is_scheduled
from tests.integration.review.printing import PRINTING, install_reviewer, review, said
from tests.integration.team import REPO, Team, assembled_team


@pytest.fixture
def own_team(tmp_path: Path) -> Iterator[Team]:
    with assembled_team(tmp_path) as made:
        yield made


def _refused(team: Team, since: int) -> int:
    return sum(one.status == 401 for one in team.standin.requests[since:])


@pytest.mark.parametrize("minutes", [-2, 2])
def test_two_minutes_off_reviews_are_posted_and_no_request_is_refused_again_and_again(
    own_team: Team, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_reviewer(monkeypatch)
    skew = timedelta(minutes=minutes)
    own_team.standin.clock = lambda: datetime.now(UTC) + skew
    number, _ = own_team.open({"service.py": PRINTING})
    assert review(own_team, number) == "posted"
    assert _refused(own_team, 0) == 0
    own_team.standin.faults.expire_token()
    since = len(own_team.standin.requests)
    other, _ = own_team.open({"service.py": PRINTING})
    assert review(own_team, other) == "posted"
    assert _refused(own_team, since) == 1
    assert said(own_team, number) == said(own_team, other) == [("service.py", 10)]


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_label_binds_the_head_that_stood_and_no_later_one_whatever_our_clock_says(
    own_team: Team, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_reviewer(monkeypatch)
    skew = timedelta(minutes=minutes)
    own_team.standin.clock = lambda: datetime.now(UTC) + skew

    def approved(*, label_first: bool) -> bool:
        number, sha = own_team.open({"service.py": PRINTING})
        own_team.say(number, sha, 10, f"Send pull request {number} to the log and not to the screen.")

        def label() -> None:
            own_team.standin.label(REPO, number, APPROVE_LABEL, by="max")

        if label_first:
            label()
        head = own_team.fix(number, {"service.py": PRINTING.replace("print(", "log(")})
        assert head is not None
        assert review(own_team, number) in ("posted", "silent")
        if not label_first:
            time.sleep(2.1)  # GitHub tells whole seconds, and so does its Date
            label()
        own_team.standin.merge(REPO, number, by="max", at=own_team.standin.clock() + timedelta(minutes=5))
        own_team.run("harvest", number)
        return any(example.hash in own_team.approved() for example in own_team.examples(number))

    assert approved(label_first=False)
    assert not approved(label_first=True)


async def test_a_token_that_ends_between_two_pages_is_renewed_once_and_no_page_is_missed(own_team: Team) -> None:
    numbers = {own_team.open({"service.py": f"{PRINTING}\n# {number}\n"})[0] for number in range(3)}
    many = {f"f{number}.py": "x = 1\n" for number in range(130)}  # two pages of files
    number, _ = own_team.open({**many, "service.py": PRINTING})
    numbers.add(number)
    path = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
    seen: list[str] = []

    def expire_before_the_second() -> None:
        seen.append("")
        if len(seen) == 2:
            own_team.standin.faults.expire_token("GET", path)

    own_team.standin.faults.before("GET", path, expire_before_the_second, times=2)
    since = len(own_team.standin.requests)
    files = await own_team.client().fetch_files("acme/store", number)
    assert len(files) == 131
    assert _refused(own_team, since) == 1


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_when_the_hour_is_changed_a_schedule_is_due_once_a_day(
    zone: str, change: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the hour that is missing, or comes twice, where the machine's owner lives. Ours are in UTC."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        begin = change - timedelta(days=1)
        ticks = [begin + timedelta(minutes=5 * number) for number in range(3 * 24 * 12)]
        for cron in ("30 2 * * *", "0 1 * * *", "30 6 * * *"):
            due = [tick for tick in ticks if is_scheduled(cron, tick, tick + timedelta(minutes=5))]
            assert [later - earlier for earlier, later in pairwise(due)] == [timedelta(days=1)] * 2
    finally:
        monkeypatch.undo()
        time.tzset()
