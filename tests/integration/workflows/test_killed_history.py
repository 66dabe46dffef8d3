"""kill -9 while a history is read, and between GitHub's act and our hearing of it: nothing twice, nothing lost."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlmodel import select

from app.curation.messages import SUMMARY_MARKER
from app.history.changes import fetch_shas
from app.history.deciding import Origin
from app.history.reading import read_commits
from app.rehearsal.app_program import AppProgram
from app.rehearsal.standin import StandIn, StandInServer
from app.store.database import open_engine, reading
from app.store.tables import ApprovalRow, AuditRow, ExampleRow, RepositoryRow
from tests.integration.team import PEOPLE, REPO, SERVICE, Worktree
from tests.waiting import eventually, hold, let_go

SECRET = "a webhook secret of the tests"
#: Enough for several parts of the readers, several saves and several portions of decisions.
COMMITS = 500
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
MOOR = '''def moor_{0}(ship):
    """Find ship number {0} a berth that is wide enough for her."""
    for berth in berths({0}):
        if berth.width >= ship.width:
            return berth
    if ship.waits:
        queue(ship)
    return None


DEPTH_{0} = {0}
'''


class World(NamedTuple):
    standin: StandIn
    server: StandInServer
    work: Worktree
    app: AppProgram


@contextmanager
def a_world(folder: Path, policy: str) -> Iterator[World]:
    """A team whose default branch holds the policy; the App runs and is not installed."""
    standin = StandIn(folder / "github", webhook_secret=SECRET)
    standin.add_repository(REPO)
    work = Worktree(folder / "work", standin.bare_path(REPO))
    work.commit("main", {"service.py": SERVICE, ".github/understudy.yml": policy})
    for login, permission in PEOPLE.items():
        standin.add_collaborator(REPO, login, permission)
    with StandInServer(standin) as server:
        app = AppProgram(
            folder, standin, webhook_secret=SECRET, base=folder / "base", serving=folder / "s", training_config=None
        )
        app.start(lambda: None)
        try:
            yield World(standin, server, work, app)
        finally:
            app.program.stop()


def install(world: World) -> None:
    world.server.deliver_to(f"{world.app.url}/webhooks")
    with world.standin.lock:
        world.standin.emit_installation("created", world.standin.add_user("owner"))
    world.server.drain()


def write_commits(bare: Path, count: int) -> None:
    """On the default branch, each a file with a documented function, by one run of git."""
    stream, parent = [], "from refs/heads/main^0\n"
    for number in range(count):
        message, code = f"Moor ship {number} where she fits", MOOR.format(number)
        stream.append(
            f"commit refs/heads/main\ncommitter Bo <bo@example.org> {1_700_000_000 + 60 * number} +0000\n"
            f"data {len(message)}\n{message}\n{'' if number else parent}"
            f"M 100644 inline berth_{number}.py\ndata {len(code)}\n{code}\n"
        )
    command = ["git", f"--git-dir={bare}", "fast-import", "--quiet"]
    subprocess.run(command, input="".join(stream), text=True, check=True)


class Standing(NamedTuple):
    """What a run leaves. `hashes` and `decided` in order, with whatever is there twice."""

    hashes: list[str]
    decided: list[tuple[str, str]]
    runs: int
    head: str | None


def read_standing(app: AppProgram) -> Standing:
    database = open_engine(app.database_url)
    try:
        with reading(database) as session:
            hashes = sorted(session.exec(select(ExampleRow.hash)))
            decided = sorted((row.example_hash, row.decision) for row in session.exec(select(ApprovalRow)))
            runs = len(session.exec(select(AuditRow).where(AuditRow.action == "history.recorded")).all())
            row = session.exec(select(RepositoryRow)).first()
    finally:
        database.dispose()
    return Standing(hashes, decided, runs, None if row is None else row.history_head)


def expected_hashes(world: World) -> list[str]:
    """Of the whole history, read here by one process; `host` is what the service calls GitHub."""
    bare = world.standin.bare_path(REPO)
    origin = Origin(host=stored_host(world.app), repository_id=world.standin.repository(REPO).id, repository=REPO)
    return sorted(
        example.hash for one in read_commits(bare, origin, fetch_shas(bare, until="main")) for example in one.examples
    )


def stored_host(app: AppProgram) -> str:
    database = open_engine(app.database_url)
    try:
        with reading(database) as session:
            return str(next(iter(session.exec(select(ExampleRow)))).payload["host"])
    finally:
        database.dispose()


def wait_for(app: AppProgram, reached: Callable[[Standing], bool]) -> Standing:
    """The first that was seen to have come so far."""
    deadline = time.monotonic() + 60
    while not reached(standing := read_standing(app)):
        assert time.monotonic() < deadline, standing.runs
        time.sleep(0.01)
    return standing


@pytest.mark.slow
def test_a_history_that_is_killed_while_it_is_read_and_decided_ends_in_the_same_rows(tmp_path: Path) -> None:
    with a_world(tmp_path, "history: true\n") as world:
        write_commits(world.standin.bare_path(REPO), COMMITS)
        hold(world.app.database_url, "us_example", after=COMMITS)
        hold(world.app.database_url, "us_approval", after=COMMITS + 1)
        install(world)
        moments: dict[str, Callable[[Standing], bool]] = {
            "us_example": lambda now: len(now.hashes) > 0,
            "us_approval": lambda now: len(now.decided) > 0,
        }
        seen = []
        for table, moment in moments.items():
            seen.append(wait_for(world.app, moment))
            world.app.program.kill()
            let_go(world.app.database_url, table)
            world.app.start(lambda: None)
        eventually(lambda: read_standing(world.app).head is not None, timeout_seconds=60)
        world.app.wait_idle(timeout_seconds=60, tick=lambda _: None)
        ended, expected = read_standing(world.app), expected_hashes(world)
    assert len(expected) == 2 * COMMITS + 1  # with the team's first commit
    assert 0 < len(seen[0].hashes) < len(expected)
    assert len(seen[1].hashes) == len(expected)
    assert 0 < len(seen[1].decided) < len(expected)
    assert seen[0].head is seen[1].head is None
    assert ended.hashes == expected
    assert ended.decided == [(example, "approve") for example in expected]
    assert ended.runs == 1


@pytest.mark.slow
def test_a_summary_that_github_took_from_a_killed_service_is_not_written_again(tmp_path: Path) -> None:
    with a_world(tmp_path, "curation: manual\n") as world:
        install(world)
        world.app.wait_idle(timeout_seconds=30, tick=lambda _: None)
        base = world.work.git("rev-parse", "main")
        changed = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
        with world.standin.silence():
            first = world.work.commit("work", {"service.py": changed}, start=base)
            number = world.standin.open_pull_request(
                REPO, author="dev", title="Work", head_ref="work", head_sha=first, base_sha=base
            )
            line = changed.split("\n").index("    print(order)") + 1
            world.standin.comment(
                REPO, number, author="mara", path="service.py", line=line, commit_sha=first,
                body="Please log through the logger, never print.",
            )  # fmt: skip
            fixed = world.work.commit("work", {"service.py": changed.replace("print", "log.info")})
            world.standin.push(REPO, number, fixed)
        posts: list[float] = []

        def kill() -> None:
            """The request has arrived and is carried out; nobody is there to hear of it."""
            posts.append(time.monotonic())
            world.app.program.kill()

        world.standin.faults.before("POST", COMMENTS, kill)
        world.standin.merge(REPO, number, by="mara")
        eventually(lambda: posts and not world.app.program.running, timeout_seconds=30)
        eventually(lambda: own_comments(world, number), timeout_seconds=10)
        world.app.start(lambda: None)
        world.app.wait_idle(timeout_seconds=60, tick=lambda _: None)
        (summary,) = own_comments(world, number)
        written = [request.method for request in world.standin.requests if request.route == COMMENTS]
    assert SUMMARY_MARKER in summary
    assert written.count("POST") == 1
    assert written.index("POST") < len(written) - 1 - written[::-1].index("GET")  # it was looked for again


def own_comments(world: World, number: int) -> list[str]:
    bot = f"{world.standin.slug}[bot]"
    return [str(item["body"]) for item in world.standin.conversation(REPO, number, author=bot)]
