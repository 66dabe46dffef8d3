"""Where the App may write contents, a repository gets one pull request, and nothing else until that is merged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.onboarding import BRANCH, DECLINED_MARKER, MARKER, Onboarding
from app.domain.policies import POLICY_PATH, RepositoryPolicy
from app.github.policy_file import read_policy
from app.store.database import reading, writing
from app.store.repositories import ensure_repository, find_repository, select_unproposed
from app.store.reviews import select_reviews
from app.workflows import engine
from app.workflows.consent import select_without_consent
from app.workflows.runs import FAILED, Queue
from tests.integration.intake.conftest import Service, running, settings_for
from tests.integration.rehearsal.standin.world import REPO, SECRET, World, small_world
from tests.integration.team import REPO as TEAM
from tests.integration.team import assembled_team
from tests.integration.workflows.test_sweeping import settle, sweep


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A merged pull request with a comment on a line that was changed, and the service; the clock asks nobody."""
    with small_world(tmp_path) as made:
        made.standin.permissions["contents"] = "write"
        with made.standin.silence():
            number = made.open()
            made.standin.comment(
                REPO, number, author="ann", path="a.py", line=20, body="Use the log.", commit_sha=made.head_sha
            )
            made.standin.merge(REPO, number, by="ann")
        (tmp_path / "key.pem").write_text(made.standin.private_key_pem)
        with running(_settings(made, tmp_path), queues=None) as service:
            _install(made, service)
            yield made


def _settings(made: World, folder: Path) -> Any:
    return settings_for(
        f"sqlite:///{folder / 'understudy.db'}",
        folder,
        webhook_secrets=(SECRET,),
        app_id=made.standin.app_id,
        github_api_url=made.server.base_url,
        github_git_url=made.server.base_url,
        write_pause_seconds=0,
        queues=("intake", "github"),
        serving=(folder / "serving",),
    )


def _install(made: World, service: Service) -> None:
    made.server.deliver_to(f"{service.url}/webhooks")
    with made.standin.lock:
        made.standin.emit_installation("created", made.standin.add_user("ann"))
    settle(made)


def ours(world: World) -> list[int]:
    """Numbers of the pull requests that the App opened."""
    return [n for n, one in world.standin.repository(REPO).pulls.items() if one.author is world.standin.bot]


def place(world: World) -> str | None:
    with reading(engine.database()) as session:
        row = find_repository(session, world.standin.installation_id, REPO.upper())
        return None if row is None else row.onboarding


def traces(world: World) -> dict[str, Any]:
    """Whatever of ours people could see, beside the pull request itself and what it says when it is closed."""
    standin, bot = world.standin, f"{world.standin.slug}[bot]"
    pulls = [number for number in standin.repository(REPO).pulls if number not in ours(world)]
    return {
        "checks": [run["name"] for number in pulls for run in _checks(world, number)],
        "reviews": [one for number in pulls for one in standin.reviews(REPO, number, author=bot)],
        "replies": [one for number in pulls for one in standin.review_comments(REPO, number, author=bot)],
        "comments": [one for number in pulls for one in standin.conversation(REPO, number, author=bot)],
    }


def _checks(world: World, number: int) -> list[dict[str, Any]]:
    return world.standin.check_runs(REPO, world.standin.find_pull(REPO, number)[1].head_sha)


def open_another(world: World, name: str) -> int:
    world.work.commit({f"{name}.py": "one\ntwo\n"}, "More", name, start="main")
    return world.standin.open_pull_request(REPO, author="bob", title="More", head_ref=name)


def told(world: World, number: int) -> list[str]:
    bodies = [one["body"] for one in world.standin.conversation(REPO, number)]
    return [body for body in bodies if DECLINED_MARKER in body]


def test_nothing_before_the_merge_and_everything_after_it(world: World) -> None:
    standin = world.standin
    (number,) = ours(world)
    pull = standin.find_pull(REPO, number)[1]
    found = standin.repository(REPO).git.blob(f"{BRANCH}:{POLICY_PATH}")
    assert found is not None
    policy = read_policy({"text": found[1].decode(), "byteSize": len(found[1])})
    assert (policy.problems, policy.policy) == ((), RepositoryPolicy())
    assert MARKER in (pull.body or "")
    assert "1 merged pull requests were read, with 1 threads" in (pull.body or "")
    assert place(world) == Onboarding.OPEN

    other = open_another(world, "other")
    root = standin.comment(
        REPO, other, author="ann", path="other.py", line=1, body="/understudy help",
        commit_sha=standin.find_pull(REPO, other)[1].head_sha,
    )  # fmt: skip
    standin.remark(REPO, other, author="ann", body="/understudy review")
    standin.label(REPO, 1, "understudy:approve", by="ann")
    standin.push(REPO, other, world.work.commit({"other.py": "three\n"}, "On", "other"))
    settle(world)
    sweep(world, "before")
    assert not any(traces(world).values()), traces(world)
    assert root
    with reading(engine.database()) as session:
        assert select_reviews(session, standin.installation_id) == []
    assert select_without_consent(standin.installation_id) == {REPO}, "nothing of it is learned"

    standin.merge(REPO, number, by="ann")
    settle(world)
    assert place(world) == Onboarding.STARTED
    with reading(engine.database()) as session:
        taken_up = {row.pull_request for row in select_reviews(session, standin.installation_id)}
    assert other in taken_up, "the pull request that was opened meanwhile"
    assert select_without_consent(standin.installation_id) == set()
    assert ours(world) == [number]
    assert not engine.list_runs(FAILED)


def test_closed_is_a_no_that_is_said_once_and_can_be_taken_back(world: World) -> None:
    (number,) = ours(world)
    for _ in range(2):
        world.standin.close(REPO, number, by="ann")
        settle(world)
        assert place(world) == Onboarding.DECLINED
        open_another(world, f"after-{len(world.standin.repository(REPO).pulls)}")
        settle(world)
        sweep(world, f"declined-{len(world.standin.requests)}")
        assert not any(traces(world).values())
        assert len(told(world, number)) == 1
        world.standin.reopen(REPO, number, by="ann")
        settle(world)
        assert place(world) == Onboarding.OPEN
    with world.standin.silence():  # its webhook is lost
        world.standin.merge(REPO, number, by="ann")
    sweep(world, "found")
    assert place(world) == Onboarding.STARTED
    assert ours(world) == [number]


def test_the_file_is_a_yes_however_it_came(world: World) -> None:
    (number,) = ours(world)
    before = world.work.git("rev-parse", "main")
    world.work.commit({POLICY_PATH: "version: 1\n"}, "Ours", "main", start="main")
    world.standin.announce(REPO, before=before, by="ann")
    settle(world)
    assert place(world) == Onboarding.STARTED
    assert world.standin.find_pull(REPO, number)[1].state == "open", "it is not ours to close"


def test_an_answer_that_was_lost_makes_no_second_one(tmp_path: Path) -> None:
    """Every one of the three writes is cut in test_killed_onboarding."""
    route = "/repos/{owner}/{repo}/pulls"
    with small_world(tmp_path) as made:
        made.standin.permissions["contents"] = "write"
        made.standin.faults.bad_gateway("POST", route, after_effect=True)
        (tmp_path / "key.pem").write_text(made.standin.private_key_pem)
        with running(_settings(made, tmp_path), queues=None) as service:
            _install(made, service)
            assert len(ours(made)) == 1
            did = [(one.method, one.route) for one in made.standin.requests]
            assert did.count(("POST", route)) == 1, "it was done, and found done"


def test_where_it_cannot_be_proposed_nothing_fails_and_it_is_tried_again(tmp_path: Path) -> None:
    with assembled_team(tmp_path) as team:
        team.standin.permissions["contents"] = "write"
        number = team.standin.add_repository("acme/empty")
        with writing(team.services.database) as session:
            ensure_repository(session, team.installation_id, number, "acme/empty")

        def onboard(turn: str) -> str:
            workflow_id, arguments = f"onboard:{turn}", (team.installation_id, number, 1)
            engine.start("onboard", workflow_id, *arguments, queue=Queue.GITHUB, partition=team.installation_id)
            return str(engine.wait(workflow_id, timeout_seconds=60))

        assert onboard("empty") == "due"
        team.standin.repository("acme/empty").git.run("fetch", "-q", str(team.standin.bare_path(TEAM)), "main:main")
        assert onboard("begun") == "open"
        with reading(team.services.database) as session:
            assert select_unproposed(session, datetime.now(UTC)) == []


def test_without_the_permission_nothing_is_proposed(tmp_path: Path) -> None:
    with small_world(tmp_path) as made:
        (tmp_path / "key.pem").write_text(made.standin.private_key_pem)
        with running(_settings(made, tmp_path), queues=None) as service:
            _install(made, service)
            assert place(made) == Onboarding.STARTED
            assert ours(made) == []
            made.standin.permissions["contents"] = "write"  # granted later: it goes on as it did
            sweep(made, "later")
            assert ours(made) == []
