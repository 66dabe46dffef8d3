"""kill -9, again and again, through a backfill: the dataset is the one of an undisturbed run."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.domain.base import content_hash
from app.rehearsal.app_program import AppProgram
from app.rehearsal.organisation.play import play_history
from app.rehearsal.organisation.story import write_story
from app.rehearsal.standin import StandIn, StandInServer
from app.store.database import open_engine, reading
from app.store.tables import ExampleRow, HarvestedRow, RejectionRow
from tests.waiting import eventually, hold, let_go

SECRET = "a webhook secret of the tests"
#: So many of the sixty merged pull requests are harvested at each kill.
KILLED_AFTER = (15, 30, 45)


def dataset_hash(app: AppProgram) -> tuple[str, int, int]:
    """Over the ordered hashes of all Examples and Rejections, and how many of each there are."""
    database = open_engine(app.database_url)
    try:
        with reading(database) as session:
            examples = sorted(session.exec(select(ExampleRow.hash)))
            rejections = sorted(content_hash("rj1", row.payload) for row in session.exec(select(RejectionRow)))
    finally:
        database.dispose()
    return content_hash("test", [examples, rejections]), len(examples), len(rejections)


def harvested(app: AppProgram) -> int:
    database = open_engine(app.database_url)
    try:
        with reading(database) as session:
            return session.exec(select(sa.func.count()).select_from(HarvestedRow)).one()
    finally:
        database.dispose()


def an_app(work: Path, standin: StandIn) -> AppProgram:
    return AppProgram(
        work, standin, webhook_secret=SECRET, base=work / "base", serving=work / "serving", training_config=None
    )


def install(server: StandInServer, standin: StandIn, app: AppProgram) -> None:
    """The App is installed: the webhook that starts the backfill."""
    server.deliver_to(f"{app.url}/webhooks")
    with standin.lock:
        standin.emit_installation("created", standin.add_user("owner"))
    server.drain()


def kill_after(done: int, app: AppProgram, *, hold_after: int | None) -> None:
    """In the middle of saving the next pull request, which is held; then it starts again on the same data."""
    eventually(lambda: harvested(app) == done, timeout_seconds=300)
    app.program.kill()
    let_go(app.database_url, "us_harvested")
    if hold_after is not None:
        hold(app.database_url, "us_harvested", after=hold_after)
    app.start(lambda: None)


@pytest.mark.slow
def test_the_dataset_of_a_killed_backfill_is_that_of_an_undisturbed_one(tmp_path: Path) -> None:
    story = write_story(7, "long")
    standin = StandIn(tmp_path / "github", webhook_secret=SECRET)
    with standin.silence():
        play_history(story, standin)
    merged = len(story.merged)
    with StandInServer(standin) as server:
        calm, killed = an_app(tmp_path / "calm", standin), an_app(tmp_path / "killed", standin)
        calm.start(lambda: None)
        killed.start(lambda: None)
        hold(killed.database_url, "us_harvested", after=KILLED_AFTER[0])
        began = time.monotonic()
        install(server, standin, calm)
        install(server, standin, killed)  # side by side: each asks for the same, and neither writes to GitHub
        for done, following in zip(KILLED_AFTER, (*KILLED_AFTER[1:], None), strict=True):
            kill_after(done, killed, hold_after=following)
        eventually(lambda: harvested(killed) == merged, timeout_seconds=300)
        killed.wait_idle(timeout_seconds=120, tick=lambda _: None)
        disturbed_seconds = time.monotonic() - began
        eventually(lambda: harvested(calm) == merged, timeout_seconds=300)
        calm.wait_idle(timeout_seconds=60, tick=lambda _: None)
        calm.program.stop()
        (shown,) = {row["total"] == row["done"] for row in killed.status()["backfills"]}
        killed.program.stop()
    figures = dataset_hash(calm)
    print(  # noqa: T201 - a figure of the project
        f"{merged} pull requests, {len(KILLED_AFTER)} kills in {disturbed_seconds:.0f} s: "
        f"{figures[1]} Examples, {figures[2]} Rejections"
    )
    assert shown
    assert merged == 60
    assert figures[1] > merged
    assert dataset_hash(killed) == figures
