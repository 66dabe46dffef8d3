"""GitHub away, GitHub refusing, the App suspended in the middle: nothing twice, nothing lost, nothing posted after."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session

from app.domain.errors import Refused, RetryLater
from app.store.database import reading, writing
from app.store.reviews import FINISHED, select_reviews
from app.store.tables import ReviewRow
from app.workflows import context, engine, journal, upkeep
from app.workflows.runs import Queue, State
from tests.integration.review.printing import PRINTING, Loggers, review, said
from tests.integration.review.test_heads import writer
from tests.integration.team import REPO, Team

assert writer  # a fixture
_LONG = 10_000


@pytest.fixture(autouse=True)
def _words(writer: Loggers) -> None:
    """A reviewer that needs no model server."""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour in a second: a step is tried as often as always, and waits next to nothing between."""
    monkeypatch.setattr(journal, "decide_wait", lambda _asked, _attempt: 0.01)


def row_of(team: Team, number: int) -> ReviewRow:
    with reading(team.services.database) as session:
        (row,) = select_reviews(session, team.installation_id, repository=REPO, pull_request=number)
    return row


def workflow_id(team: Team, number: int) -> str:
    return f"review:{row_of(team, number).id}:"


def test_after_an_hour_without_github_the_review_is_made_all_the_same(team: Team, hasty: None) -> None:
    """Longer than any step waits: the workflow fails, is on record as such, and is begun again by the hour."""
    number, _ = team.open({"service.py": PRINTING})
    before = len(team.standin.requests)
    team.standin.faults.bad_gateway("*", "*", after_effect=False, times=_LONG)
    with pytest.raises(RetryLater):
        review(team, number)
    team.standin.faults.requests.clear()
    assert (row_of(team, number).state, said(team, number)) == ("failed", [])
    asked = len(team.standin.requests) - before
    assert 40 <= asked <= 40 + 10, "tried as long as a step is, told in a few tries more"
    known = workflow_id(team, number)
    (failed,) = [run for run in engine.list_runs((State.ERROR,)) if run.id == known]
    assert failed.transient
    assert known in asyncio.run(upkeep.revive(failed.created_at_seconds + 3_600))
    assert engine.wait(known, 60) == "posted"
    assert said(team, number) == [("service.py", 10)]
    assert row_of(team, number).state == "posted"


def test_every_tenth_write_that_is_lost_after_it_acted_doubles_nothing(team: Team, hasty: None) -> None:
    numbers = [team.open({"service.py": PRINTING})[0] for _ in range(10)]
    for position, number in enumerate(numbers):
        # by turns: the pending review, its submission, the check run
        route = ("/pulls/{pull_number}/reviews", "/pulls/{pull_number}/reviews/{review_id}/events", "/check-runs")
        where = "/repos/{owner}/{repo}" + route[position % 3]
        team.standin.faults.bad_gateway("POST", where, after_effect=True)
        if position % 4 == 0:
            team.standin.faults.secondary_limit("POST", where, retry_after_seconds=1)
            team.standin.faults.expire_token("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files")
        assert review(team, number) == "posted"
        assert said(team, number) == [("service.py", 10)]
        assert len(team.standin.check_runs(REPO, team.standin.find_pull(REPO, number)[1].head_sha)) == 1
    assert not [fault for fault in team.standin.faults.requests if fault.times]


@contextmanager
def suspended_at(team: Team, count: int) -> Iterator[list[int]]:
    """The installation is suspended right before its `count`th request from here, counted from 0. Yields the number of
    all requests at that moment, once it came."""
    seen: list[str] = []
    struck: list[int] = []

    def strike() -> None:
        if len(seen) == count:
            struck.append(len(team.standin.requests))
            team.standin.suspend(by="root")
        seen.append("")

    team.standin.faults.before("*", "*", strike, times=count + 1)
    try:
        yield struck
    finally:
        team.standin.faults.requests.clear()
        if struck:
            team.standin.unsuspend(by="root")


def _submitted(team: Team, number: int) -> int:
    """Reviews that people see; a pending one is the App's alone."""
    reviews = team.standin.reviews(REPO, number, author=f"{team.standin.slug}[bot]")
    return sum(one["state"] == "COMMENTED" for one in reviews)


def _review(team: Team, number: int) -> Any:
    try:
        return review(team, number)
    except Refused as refusal:
        return refusal


def test_suspended_at_any_request_nothing_is_posted_after_and_all_is_made_good_later(team: Team) -> None:
    number, _ = team.open({"service.py": PRINTING})
    before = len(team.standin.requests)
    assert review(team, number) == "posted"
    requests = len(team.standin.requests) - before
    assert requests >= 8
    for count in range(requests):
        number, _ = team.open({"service.py": PRINTING})
        with suspended_at(team, count) as struck:
            outcome = _review(team, number)
            assert struck, f"the review made no request number {count}"
            effects = [one for one in team.standin.requests[struck[0] :] if one.method != "GET" and one.status < 400]
            assert effects == [], f"suspended at request {count}"
            assert isinstance(outcome, Refused) or outcome in {"posted", "skipped"}
            assert row_of(team, number).state in FINISHED
            stood = _submitted(team, number)
        engine.retry(workflow_id(team, number))
        assert engine.wait(workflow_id(team, number), 60) == "posted"
        (check,) = team.standin.check_runs(REPO, team.standin.find_pull(REPO, number)[1].head_sha)
        assert check["output"]["title"] == "Read 1 of 1 file: 1 comment"
        assert said(team, number) == [("service.py", 10)]
        assert stood in (0, 1)


def test_a_storm_of_one_installation_holds_up_no_other(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty pull requests of one, then two of another: these are done before half of those are."""
    storm = [team.open({"service.py": PRINTING})[0] for _ in range(20)]
    others = [team.open({"service.py": PRINTING})[0] for _ in range(2)]
    services, installation = context.services(), team.installation_id
    neighbour = installation + 1
    # the neighbour is one in our tables and queues; on GitHub's side it uses the same door
    client = services.github(installation)
    monkeypatch.setattr(context, "_installed", [replace(services, github=lambda _installation: client)])

    def begin(session: Session, number: int, whose: int) -> str:
        head = team.standin.find_pull(REPO, number)[1].head_sha
        review_id = f"{services.host}:{team.standin.repository(REPO).id}:{number}:{head}"
        known, asked = f"review:{review_id}:", (whose, REPO, review_id)
        engine.enqueue_in_transaction(session, "review", known, *asked, queue=Queue.GITHUB, partition=whose)
        return known

    with writing(engine.database()) as session:  # all at once: none is done before the last is there
        waiting = [begin(session, number, installation) for number in storm]
        neighbours = [begin(session, number, neighbour) for number in others]
    for known in neighbours:
        assert engine.wait(known, 120) == "posted"
    done = sum(run is not None and run.state is State.SUCCESS for run in map(engine.load_run, waiting))
    assert done < len(storm) / 2
    for known in waiting:
        assert engine.wait(known, 120) == "posted"


def test_uninstalled_in_the_middle_nothing_is_posted(team: Team) -> None:
    """The last test of this module: nobody comes back from it."""
    number, _ = team.open({"service.py": PRINTING})
    create = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
    team.standin.faults.before("POST", create, lambda: team.standin.uninstall(by="root"))
    before = len(team.standin.requests)
    assert isinstance(_review(team, number), Refused)
    assert _submitted(team, number) == 0
    acts = [one for one in team.standin.requests[before:] if one.method != "GET" and "graphql" not in one.route]
    assert [one for one in acts if one.status < 400] == []
    assert row_of(team, number).state == "failed"
