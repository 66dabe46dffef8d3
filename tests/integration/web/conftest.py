"""The real service with its dashboard on a made database, beside a running stand-in GitHub, and people at browsers."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from app.main import create_app
from app.rehearsal.standin import StandIn, StandInServer
from app.settings import Settings
from app.store.database import open_engine, reading
from app.store.deliveries import select_installations
from app.store.migrate import migrate
from app.store.searching import Wanted, select_page
from app.workflows.runs import Queue
from tests.contracts.github_description import judging
from tests.integration.intake.conftest import TOKEN, boot_without_clock, settings_for
from tests.made_dashboard import Size, fill

STORE, VAULT = "acme/store", "acme/vault"
#: An installation of somebody else, of which nobody here may learn that it exists.
FOREIGN = 47_110_099
FOREIGN_REPO = "globex/secret"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass
class Dashboard:
    """`root` is admin of both repositories, `max` of one, `mara` writes to one, `rita` reads."""

    url: str
    standin: StandIn
    database: sa.Engine
    data: Path
    _open: list[httpx.Client] = field(default_factory=list)
    _people: dict[str, httpx.Client] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def installation_id(self) -> int:
        return self.standin.installation_id

    def path(self, below: str = "") -> str:
        return f"/dashboard/{self.installation_id}{below}"

    def browser(self) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=60, trust_env=False, follow_redirects=False)
        self._open.append(client)
        return client

    def sign_in(self, login: str) -> httpx.Client:
        """A browser of a person who went through GitHub's pages."""
        client = self.browser()
        self.standin.browse_as(login)
        to_github = client.get("/dashboard/sign-in/github")
        back = httpx.get(to_github.headers["location"], trust_env=False)
        entered = client.get(back.headers["location"])
        assert entered.status_code == 303, entered.text
        return client

    def person(self, login: str) -> httpx.Client:
        """The same, signed in once for all tests that leave the session as it is."""
        if login not in self._people:
            self._people[login] = self.sign_in(login)
        return self._people[login]

    def operator(self) -> httpx.Client:
        client = self.browser()
        entered = client.post("/dashboard/sign-in/operator", data={"token": TOKEN}, headers={"origin": self.url})
        assert entered.status_code == 303, entered.text
        return client

    def csrf(self, client: httpx.Client) -> str:
        """The token of the session's forms, as its pages show it."""
        session = client.cookies["understudy_session"]
        if session not in self._tokens:
            found = _CSRF.search(client.get("/dashboard").text)
            assert found is not None
            self._tokens[session] = found[1]
        return self._tokens[session]

    def send(self, client: httpx.Client, path: str, **form: str) -> httpx.Response:
        """A form as a browser sends it from a page of ours."""
        sent = {"csrf": self.csrf(client), **form}
        return client.post(path, data=sent, headers={"origin": self.url})

    def example(self, repository: str = STORE, *, installation_id: int | None = None, decision: str = "none") -> str:
        """Hash of the newest review comment there."""
        wanted = Wanted(repository=repository, kind="review_comment", decision=decision)
        with reading(self.database) as session:
            (found,) = select_page(session, installation_id or self.installation_id, wanted, size=1)
        return found.hash

    def close(self) -> None:
        for client in self._open:
            client.close()


@contextmanager
def running_dashboard(folder: Path, database_url: str, size: Size = Size()) -> Iterator[Dashboard]:  # noqa: B008
    standin = StandIn(folder / "github", webhook_secret="a secret of the tests")
    with standin.silence():
        ids = {name: standin.add_repository(name, private=True) for name in (STORE, VAULT)}
        for login, role in (("root", "admin"), ("max", "admin"), ("mara", "write"), ("rita", "read")):
            standin.add_collaborator(STORE, login, role)  # type: ignore[arg-type]
        standin.add_collaborator(VAULT, "root", "admin")
        standin.add_collaborator(VAULT, "max", "write")
    migrate(database_url)
    database = open_engine(database_url)
    data = folder / "data"
    with reading(database) as session:
        known = {row.id for row in select_installations(session)}
    if standin.installation_id not in known:
        fill(database, data, standin.installation_id, ids, size)
    if FOREIGN not in known:
        fill(database, data, FOREIGN, {FOREIGN_REPO: 99}, Size(examples=10, decided=6, reviews=3))
    try:
        with judging(standin), StandInServer(standin) as server:
            settings = _settings(folder, database_url, standin, server.base_url)
            with _serving(settings) as url:
                made = Dashboard(url, standin, database, data)
                yield made
                made.close()
    finally:
        database.dispose()


def _settings(folder: Path, database_url: str, standin: StandIn, github: str) -> Settings:
    key = folder / "app.pem"
    key.write_text(standin.private_key_pem)
    return settings_for(
        database_url,
        folder,
        app_id=standin.app_id,
        private_key_file=key,
        github_api_url=github,
        github_git_url=github,
        client_id=standin.people.client_id,
        client_secret=standin.people.client_secret,
    )


@contextmanager
def _serving(settings: Settings) -> Iterator[str]:
    """The service on a port of its own, which is its public address, in a thread of this process."""
    with boot_without_clock(settings, (Queue.INTAKE,)), socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(settings.model_copy(update={"public_url": url}), booted=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        assert server.started, "the service did not start; its log says why"
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One for all tests of a module."""
    folder = tmp_path_factory.mktemp("dashboard")
    with running_dashboard(folder, f"sqlite:///{folder / 'understudy.db'}") as made:
        yield made
