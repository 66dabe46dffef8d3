"""kill -9 before and after each request that writes: one branch, one file, one pull request, one word after a no."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.onboarding import BRANCH, DECLINED_MARKER, MARKER, Onboarding
from app.store.database import writing
from app.store.repositories import ensure_repository, save_place
from app.workflows import engine
from tests.cutting import Cut, CutProgram
from tests.integration.review.cutting_program import Told
from tests.integration.team import Team, assembled_team
from tests.integration.workflows.onboarding_program import Begin

pytestmark = pytest.mark.slow


@pytest.fixture
def team(tmp_path: Path) -> Iterator[tuple[Team, CutProgram]]:
    with assembled_team(tmp_path) as made:
        made.standin.permissions["contents"] = "write"
        engine.shutdown()  # the program's processes have the database to themselves
        told = Told(
            database=str(made.services.database.url),
            api_url=made.server.base_url,
            app_id=made.standin.app_id,
            app_slug=made.standin.slug,
            private_key=made.standin.private_key_pem,
            installation_id=made.installation_id,
            host=made.services.host,
        )
        (tmp_path / "told.json").write_text(told.model_dump_json())
        program = CutProgram("-m", "tests.integration.workflows.onboarding_program", str(tmp_path))
        try:
            yield made, program
        finally:
            program.close()


def new_repository(team: Team, name: str) -> int:
    repository_id = team.standin.add_repository(name, bare=team.standin.bare_path("acme/store"))
    with writing(team.services.database) as session:
        ensure_repository(session, team.installation_id, repository_id, name)
    return repository_id


def test_wherever_it_is_killed_there_is_one(team: tuple[Team, CutProgram]) -> None:
    made, program = team
    plain = program.take(Begin(repository_id=new_repository(made, "acme/plain")))
    assert plain["states"] == ["open"]
    assert plain["writes"] == ["POST refs", "PUT contents", "POST pulls"]
    names = ["acme/plain"]
    waiting: tuple[str, ...] = ()
    for number, step in enumerate(plain["writes"]):
        for when in ("before", "after"):
            name = f"acme/cut-{number}-{when}"
            turn = Begin(repository_id=new_repository(made, name), cut=Cut(step=step, when=when), waiting=waiting)
            assert program.take(turn) is None, f"nothing was cut {when} {step}"
            names.append(name)
            waiting = (f"onboard:{turn.repository_id}",)
    last = program.take(Begin(repository_id=new_repository(made, "acme/last"), waiting=waiting))
    assert last["states"] == ["open", "open"]
    for name in [*names, "acme/last"]:
        repository = made.standin.repository(name)
        assert [one.head_ref for one in repository.pulls.values()] == [BRANCH], name
        assert len(repository.git.commits("refs/heads/main", f"refs/heads/{BRANCH}")) == 1, name


def test_a_no_is_answered_once(team: tuple[Team, CutProgram]) -> None:
    made, program = team
    waiting: tuple[str, ...] = ()
    numbers = {}
    for when in ("before", "after"):
        name = f"acme/closed-{when}"
        repository_id = new_repository(made, name)
        repository = made.standin.repository(name)
        repository.git.set_ref(f"refs/heads/{BRANCH}", made.first)
        numbers[name] = _close(made, name)
        with writing(made.services.database) as session:
            save_place(session, made.installation_id, repository_id, Onboarding.OPEN, numbers[name])
        turn = Begin(repository_id=repository_id, cut=Cut(step="POST comments", when=when), waiting=waiting)
        assert program.take(turn) is None
        waiting = (f"onboard:{repository_id}",)
    found = program.take(Begin(repository_id=new_repository(made, "acme/after"), waiting=waiting))
    assert found["states"] == ["declined", "open"]
    for name, number in numbers.items():
        said = [one["body"] for one in made.standin.conversation(name, number)]
        assert len([body for body in said if DECLINED_MARKER in body]) == 1, name


def _close(made: Team, name: str) -> int:
    """Our pull request, as it stands when somebody closed it."""
    number = made.standin.open_pull_request(
        name, author=made.standin.bot.login, title="x", body=MARKER, head_ref=BRANCH, emit=False
    )
    made.standin.close(name, number, by="root")
    return number
