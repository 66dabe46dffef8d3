"""Recording what a release leaves under way."""

import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from app.store.database import writing
from app.store.tables import AdapterVersionRow, DeliveryRow, InstallationRow
from app.workflows import engine
from app.workflows.runs import Queue
from tests.integration.intake.conftest import a_payload
from tests.integration.team import REPO
from tests.integration.workflows.releases.holding import ADAPTER, HELD, REACHED
from tests.integration.workflows.releases.world import HOST, World, made_world

DATA = "@DATA@"


def install_services(world: World, data: Path, database: sa.Engine) -> None:
    """As `boot` would, with a reviewer that needs no model server."""
    from app.github.client import GitHubClient
    from app.review.drafting import Reviewer
    from app.workflows import context, reviewing
    from tests.integration.review.printing import Everything, Loggers, Prints

    async def load(_installation_id: int) -> Reviewer:
        return Reviewer(adapter=ADAPTER, locator=Prints(), writer=Loggers(), acceptance=Everything())

    def connect(installation_id: int) -> GitHubClient:
        return GitHubClient(
            api_url=world.server.base_url,
            git_url=world.server.base_url,
            app_id=world.standin.app_id,
            private_key_pem=world.standin.private_key_pem,
            installation_id=installation_id,
            write_pause_seconds=0.0,
        )

    vars(reviewing)["load_reviewer"] = load
    context.install(
        context.Services(
            database=database,
            host=HOST,
            app_slug=world.standin.slug,
            data=data,
            base=data / "base",
            serving=data / "serving",
            training_config=None,
            retention_days=30,
            github=connect,
        )
    )


def _begin(world: World) -> None:
    installation = world.standin.installation_id
    repository = world.standin.repository(REPO)
    head = world.standin.find_pull(REPO, world.told)[1].head_sha
    payload = a_payload(
        number=world.told,
        installation={"id": installation},
        repository={"id": repository.id, "full_name": REPO, "owner": {"id": 3, "login": "acme", "type": "User"}},
        pull_request={"number": world.told, "head": {"sha": head}, "draft": False, "merged": False},
    )
    with writing(engine.database()) as session:
        session.add(InstallationRow(id=installation, host=HOST, account="acme"))
        session.add(
            AdapterVersionRow(
                name=ADAPTER,
                installation_id=installation,
                snapshot_id="ds1:recorded",
                state="candidate",
                path=f"{DATA}/adapters/{ADAPTER}",
                manifest={},
            )
        )
        body = json.dumps(payload).encode()
        session.add(
            DeliveryRow(
                guid=f"{HOST}:recorded", event="pull_request", action="opened", installation_id=installation, body=body
            )
        )
    # Each in a partition of its own, so that all are under way at once.
    engine.start("harvest", "recorded-harvest", installation, REPO, world.learned, queue=Queue.GITHUB, partition=1)
    review = (installation, REPO, world.review_id)
    engine.start("review", f"review:{world.review_id}", *review, queue=Queue.GITHUB, partition=2)
    engine.start("learn", "recorded-learn", installation, "operator", queue=Queue.GPU)
    # This one waits for the first.
    engine.start("harvest", "recorded-queued", installation, REPO, world.told, queue=Queue.GITHUB, partition=1)
    engine.start("delivery", f"delivery:{HOST}:recorded", f"{HOST}:recorded", queue=Queue.INTAKE)


def _run_and_die(world: World, folder: Path) -> None:
    """In a child process."""
    from app.workflows import learning
    from tests.integration import team  # declares the workflows

    assert team, learning
    url = f"sqlite:///{folder / 'recorded.db'}"
    engine.boot(url, prepare=partial(install_services, world, folder / "data"), scheduled=False, polling_seconds=0.05)
    _begin(world)
    deadline = time.monotonic() + 60
    while not REACHED >= HELD and time.monotonic() < deadline:
        time.sleep(0.1)
    sys.stderr.write(f"held at {sorted(REACHED)}\n")
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def dump(database: Path, data: Path) -> str:
    """All of it as SQL, with a word in place of the folder."""
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump()).replace(str(data), DATA) + "\n"


def record(name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with made_world(folder) as world:
            pid = os.fork()
            if pid == 0:
                _run_and_die(world, folder)
            os.waitpid(pid, 0)
        text = dump(folder / "recorded.db", folder / "data")
    (Path(__file__).parent / f"{name}.sql").write_text(text, encoding="utf-8")
