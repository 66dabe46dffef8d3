"""Work that every earlier release left under way is ended by today's code, on SQLite and after a move."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from app.keeping.moving import move
from app.store.database import reading
from app.store.migrate import migrate
from app.store.rounds import load_pointer
from app.store.tables import DeliveryRow, ExampleRow, ReviewRow
from app.workflows import context, engine, learning
from app.workflows.engine.process import APPLICATION_VERSION
from app.workflows.runs import FAILED, State
from tests.integration.team import REPO, WORKFLOWS
from tests.integration.workflows.releases.holding import ADAPTER, CANNED
from tests.integration.workflows.releases.recording import DATA, install_services
from tests.integration.workflows.releases.world import HOST, World, made_world

assert WORKFLOWS
RECORDED = sorted(Path(__file__).parent.glob("*.sql"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with made_world(tmp_path) as made:
        yield made


def _load(recorded: Path, tmp_path: Path) -> Path:
    path = tmp_path / "understudy.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(recorded.read_text(encoding="utf-8").replace(DATA, str(tmp_path / "data")))
    return path


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
@pytest.mark.parametrize("moved", [False, True], ids=["sqlite", "moved"])
def test_what_a_release_left_under_way_is_ended(
    recorded: Path,
    moved: bool,
    world: World,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    url = f"sqlite:///{_load(recorded, tmp_path)}"
    if moved:
        target = str(request.getfixturevalue("empty_postgres"))
        migrate(url)
        assert move(url, target, lambda _table, _rows: None).under_way == 4
        url = target

    for name in CANNED:
        assert hasattr(learning, name), f"the step {name} was renamed: what is in flight behind it is stranded"
    began = len(world.standin.requests)
    try:
        engine.boot(
            url, prepare=partial(install_services, world, tmp_path / "data"), scheduled=False, polling_seconds=0.05
        )
        _check(world)
        assert began < len(world.standin.requests)
    finally:
        context.install(None)
        engine.shutdown()


def _check(world: World) -> None:
    assert engine.wait(f"review:{world.review_id}", 60) == "posted"
    assert engine.wait("recorded-learn", 60) == "promote"
    assert isinstance(engine.wait("recorded-harvest", 60), dict)
    assert str(engine.wait(f"delivery:{HOST}:recorded", 60)).startswith("enqueued: review")
    assert engine.wait(f"review:{world.review_id_of(world.told)}", 60) == "posted"
    bot = f"{world.standin.slug}[bot]"
    for number in (world.reviewed, world.told):
        reviews = world.standin.reviews(REPO, number, author=bot)
        assert [one["state"] for one in reviews] == ["COMMENTED"]
    with reading(engine.database()) as session:
        pointer = load_pointer(session, world.standin.installation_id)
        assert pointer is not None
        assert pointer.adapter_name == ADAPTER
        assert len(session.exec(select(ExampleRow)).all()) >= 1
        assert {row.state for row in session.exec(select(ReviewRow))} == {"posted"}
        assert session.exec(select(DeliveryRow.outcome)).one() is not None
    assert isinstance(engine.wait("recorded-queued", 60), dict)
    assert len(engine.list_runs((State.SUCCESS,), id_prefix="recorded-")) == 3
    assert engine.list_runs(FAILED) == []


def test_there_is_a_recording_of_this_application_version() -> None:
    """Raising the number means that work of the old one is drained first; then a new recording is made."""
    assert APPLICATION_VERSION in {path.stem.split("_")[0] for path in RECORDED}
