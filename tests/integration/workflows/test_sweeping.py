"""Webhooks get lost; an hour later everything is as if they had not been, and nothing was done twice."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.curation.decision import APPROVE_LABEL, REJECT_LABEL
from app.github.listed import ListedPull
from app.store.database import reading, writing
from app.store.deliveries import is_any_waiting
from app.store.learning import select_approvals_in_force, select_examples
from app.store.repositories import select_harvested_heads
from app.store.reviews import select_reviews
from app.workflows import engine
from app.workflows.engine.process import SCHEDULES
from app.workflows.erasure_requests import read_erasures
from app.workflows.runs import FAILED, Queue, State
from app.workflows.sweep_starts import enqueue_sweep
from app.workflows.sweeping import Known, select_missing
from tests.integration.intake.conftest import Service, running, settings_for
from tests.integration.rehearsal.standin.world import REPO, SECRET, World, small_world
from tests.waiting import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Of every hundred deliveries so many are lost.
LOST_PERCENT = 5


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[World, Service]]:
    """A small organisation, and the whole service installed on it. A lost delivery stays lost until the test sweeps."""
    with small_world(tmp_path) as made:
        (tmp_path / "key.pem").write_text(made.standin.private_key_pem)
        settings = settings_for(
            f"sqlite:///{tmp_path / 'understudy.db'}",
            tmp_path,
            webhook_secrets=(SECRET + " long enough", SECRET),
            app_id=made.standin.app_id,
            github_api_url=made.server.base_url,
            github_git_url=made.server.base_url,
            write_pause_seconds=0,
            serving=(tmp_path / "serving",),
        )
        with running(settings, queues=(Queue.INTAKE, Queue.GITHUB)) as service:
            made.server.deliver_to(f"{service.url}/webhooks")
            with made.standin.lock:
                made.standin.emit_installation("created", made.standin.add_user("ann"))
            settle(made)
            yield made, service


def settle(world: World) -> None:
    """Everything that was sent arrived, was handled, and all that it asked for is done."""
    world.server.drain()
    eventually(_is_idle, timeout_seconds=120)
    eventually(_is_idle, timeout_seconds=120)


def _is_idle() -> bool:
    with reading(engine.database()) as session:
        if is_any_waiting(session):
            return False
    return not engine.list_runs((State.ENQUEUED, State.PENDING))


def sweep(world: World, tick: str) -> Any:
    with writing(engine.database()) as session:
        workflow_id = enqueue_sweep(session, world.standin.installation_id, tick)
    found = engine.wait(workflow_id, timeout_seconds=120)
    settle(world)
    return found


class Converged:
    """What GitHub shows against what the App did."""

    def __init__(self, world: World) -> None:
        standin = world.standin
        repository = standin.repository(REPO)
        pulls = repository.pulls
        self.merged = {number: pull.head_sha for number, pull in pulls.items() if pull.merged_at}
        self.open = {number for number, pull in pulls.items() if not pull.closed_at}
        self.approved = {n for n in self.merged if any(label.name == APPROVE_LABEL for label in pulls[n].labels)}
        with reading(engine.database()) as session:
            self.harvested = select_harvested_heads(session, standin.installation_id, repository.id, pulls)
            self.reviewed = Counter(row.pull_request for row in select_reviews(session, standin.installation_id))
            in_force = select_approvals_in_force(session, standin.installation_id).values()
            self.decided = {row.pull_request for row in in_force if row.decision == "approve"}
        # all of them have one head commit: a check run belongs to the review that its `external_id` names
        self.checks = Counter(run["external_id"] for run in standin.check_runs(REPO, world.head_sha))

    def is_so(self) -> bool:
        return self.harvested == self.merged and self.open <= set(self.reviewed) and self.decided == self.approved


def test_five_percent_of_the_deliveries_are_lost(world: tuple[World, Service]) -> None:
    made, _ = world
    chance = random.Random(5)  # noqa: S311  which ones are lost is no secret
    lost = play(made, chance)
    settle(made)
    before = Converged(made)
    assert lost
    assert not before.is_so()

    found = sweep(made, "one")

    after = Converged(made)
    assert (after.harvested, after.decided) == (after.merged, after.approved)
    assert after.open <= set(after.reviewed)
    assert not after.checks, "nothing was learned, and nobody asked"
    assert set(after.reviewed.values()) == {1}
    assert not engine.list_runs(FAILED)
    assert sum(found.get(work, 0) for work in ("harvest", "review", "curate")) >= 1
    harvests = [run.id for run in engine.list_runs((State.SUCCESS,), id_prefix="harvest:", limit=500)]
    assert len(harvests) == len(after.merged)
    print(f"{len(lost)} deliveries lost: {lost}; found: {found}")  # noqa: T201 - a figure of the project


def test_a_label_that_goes_in_the_second_it_came_in_does_not_stay_in_force(world: tuple[World, Service]) -> None:
    """GitHub dates both the same, and both deliveries are lost."""
    made, _ = world
    standin = made.standin
    number = made.open()
    standin.comment(REPO, number, author="ann", path="a.py", line=20, body="Use the log.", commit_sha=made.head_sha)
    standin.merge(REPO, number, by="ann")
    settle(made)
    moment = datetime.now(UTC)
    standin.clock = lambda: moment
    for act, tick, is_approved in ((standin.label, "one", True), (standin.unlabel, "two", False)):
        with standin.silence():
            act(REPO, number, APPROVE_LABEL, by="ann")
        assert sweep(made, tick)["curate"] == 1
        assert (number in Converged(made).decided) is is_approved


def play(world: World, chance: random.Random) -> list[str]:
    """Open, push to, merge and label pull requests; returns what was lost. At least one of each kind is."""
    standin, lost = world.standin, []

    def act(name: str, number: int, does: Any) -> None:
        if chance.random() * 100 < LOST_PERCENT or (name, number) in {("open", 4), ("merge", 7), ("label", 9)}:
            settle(world)  # or the harvest of a merge still finds a label that was lost
            standin.faults.drop = 1
            lost.append(f"{name} {number}")
        does()

    for number in range(1, 25):
        act(
            "open",
            number,
            lambda: standin.open_pull_request(
                REPO, author="wes", title="One", head_ref="feature", base_sha=world.base_sha
            ),
        )
        with standin.silence():
            standin.comment(
                REPO, number, author="mia", path="a.py", line=20, body="Please name this.", commit_sha=world.head_sha
            )
            standin.approve(REPO, number, author="mia", commit_sha=world.head_sha)
        if number % 4:
            act("merge", number, lambda n=number: standin.merge(REPO, n, by="mia"))
            if number % 3 == 0:
                act("label", number, lambda n=number: standin.label(REPO, n, APPROVE_LABEL, by="mia"))
    world.server.drain()
    return lost


def test_an_idle_hour_costs_nothing_of_the_limit_and_starts_nothing(world: tuple[World, Service]) -> None:
    made, _ = world
    play(made, random.Random(1))  # noqa: S311
    settle(made)
    sweep(made, "one")
    settle(made)
    sweep(made, "two")  # the first one's own reviews changed the list
    settle(made)  # or what the sweeps started ends while the idle hour is counted
    used, asked = made.standin.limits.core.used, len(made.standin.requests)
    before = {run.id for run in engine.list_runs((State.SUCCESS,), limit=1000)}

    assert sweep(made, "three") == {"repositories": 1}

    api = [record.status for record in made.standin.requests[asked:] if record.route != "git"]
    assert api == [200, 304]
    assert made.standin.limits.core.used - used == 1  # the list of repositories
    ended = {run.name for run in engine.list_runs((State.SUCCESS,), limit=1000) if run.id not in before}
    assert set(ended) == {"sweep_installation"}


def test_a_repository_nobody_told_us_about_gets_its_backfill(world: tuple[World, Service]) -> None:
    made, _ = world
    with made.standin.silence():
        made.standin.add_repository("acme/other", bare=made.standin.bare_path(REPO))
        number = made.standin.open_pull_request(
            "acme/other", author="wes", title="Old", head_sha=made.head_sha, base_sha=made.base_sha
        )
        made.standin.merge("acme/other", number, by="ann")
    sweep(made, "one")
    repository_id = made.standin.repository("acme/other").id
    with reading(engine.database()) as session:
        heads = select_harvested_heads(session, made.standin.installation_id, repository_id, [number])
    assert heads == {number: made.head_sha}


def test_a_repository_that_is_taken_away_is_forgotten_and_learned_again_when_given_back(
    world: tuple[World, Service],
) -> None:
    made, _ = world
    play(made, random.Random(1))  # noqa: S311
    settle(made)
    sweep(made, "one")
    assert examples(made) > 0
    made.standin.add_repository("acme/other")  # GitHub lets no App be installed on nothing

    made.standin.set_installed(REPO, False, by="ann")
    settle(made)

    assert examples(made) == 0
    (erased,) = read_erasures()
    assert (erased["kind"], erased["reason"]) == ("repository", "removed")
    assert erased["report"]["examples"] > 0

    made.standin.set_installed(REPO, True, by="ann")
    settle(made)
    assert examples(made) == erased["report"]["examples"]


def test_uninstalling_erases_everything(world: tuple[World, Service]) -> None:
    made, service = world
    play(made, random.Random(1))  # noqa: S311
    settle(made)

    made.standin.uninstall(by="ann")
    made.server.drain()
    eventually(lambda: read_erasures() and read_erasures()[0]["finished_at"], timeout_seconds=60)
    settle(made)

    (erased,) = read_erasures()
    assert (erased["kind"], erased["reason"]) == ("installation", "uninstalled")
    rows = service.status()["rows"]
    assert {name for name in rows if rows[name]} <= {"us_delivery", "us_installation", "us_audit"}
    assert service.status()["backfills"] == []


def examples(world: World) -> int:
    with reading(engine.database()) as session:
        return len(select_examples(session, world.standin.installation_id))


def test_it_is_scheduled() -> None:
    assert SCHEDULES["sweep"] == "7 * * * *"


def a_pull(**changes: Any) -> ListedPull:
    values: dict[str, Any] = {"number": 1, "state": "open", "draft": False, "head_sha": "a", "labels": ()}
    return ListedPull(**(values | {"created_at": NOW, "updated_at": NOW, "merged_at": None} | changes))


MERGED: dict[str, Any] = {"state": "closed", "merged_at": NOW}
NOTHING = Known(None, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("pull", "known", "work"),
    [
        (a_pull(), NOTHING, ["review"]),
        (a_pull(), Known(None, frozenset("a"), frozenset()), []),
        (a_pull(draft=True), NOTHING, []),
        (a_pull(state="closed"), NOTHING, []),
        (a_pull(created_at=NOW - timedelta(days=1)), NOTHING, []),
        (a_pull(created_at=NOW - timedelta(days=1)), Known(None, frozenset("b"), frozenset()), ["review"]),
        (a_pull(**MERGED), NOTHING, ["harvest"]),
        (a_pull(**MERGED), Known("b", frozenset(), frozenset()), ["harvest"]),
        (a_pull(**MERGED), Known("a", frozenset(), frozenset()), []),
        (a_pull(**MERGED, labels=(APPROVE_LABEL,)), Known("a", frozenset(), frozenset()), ["curate"]),
        (a_pull(**MERGED, labels=(APPROVE_LABEL,)), Known("a", frozenset(), frozenset({"approve"})), []),
        (a_pull(**MERGED, labels=(APPROVE_LABEL, REJECT_LABEL)), Known("a", frozenset(), frozenset({"reject"})), []),
        (a_pull(**MERGED), Known("a", frozenset(), frozenset({"approve"})), ["curate"]),
    ],
)
def test_what_is_missing(pull: ListedPull, known: Known, work: list[str]) -> None:
    assert [item.work for item in select_missing([pull], {1: known}, watched_since=NOW)] == work


def test_a_command_whose_webhook_was_lost_is_found_and_obeyed_once(world: tuple[World, Service]) -> None:
    made, _ = world
    with made.standin.silence():
        number = made.standin.open_pull_request(REPO, author="wes", title="One", head_ref="feature")
        root = made.standin.comment(
            REPO, number, author="mia", path="a.py", line=20, body="Please name this.", commit_sha=made.head_sha
        )
        said = [made.standin.remark(REPO, number, author=login, body="/understudy help") for login in ("wes", "rea")]
        reply = made.standin.comment(
            REPO, number, author="mia", path="", line=1, body="/understudy why", commit_sha="", in_reply_to=root
        )
    for tick in ("one", "two"):
        sweep(made, tick)
    assert [made.standin.reactions(REPO, number, one).get("eyes", 0) for one in (*said, reply)] == [1, 0, 1]
    own = f"{made.standin.slug}[bot]"
    assert len(made.standin.conversation(REPO, number, author=own)) == 1
    assert len(made.standin.review_comments(REPO, number, author=own)) == 1
