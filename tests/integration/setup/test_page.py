"""What goes wrong on the setup page is said with its cure, and leaves nothing half done."""

import html
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn

from app.setup.program import create_setup_app
from app.setup.session import Session
from tests.integration.rehearsal.standin.world import World, small_world
from tests.integration.setup.programs import choose

CONVERSIONS = "/app-manifests/{code}/conversions"


class Setup:
    """The page, without a browser: what is asserted are its answers."""

    def __init__(self, session: Session, world: World, address: str) -> None:
        self.session, self.world, self.env_file = session, world, session.env_file
        self.client = httpx.Client(base_url=address, trust_env=False)
        self.root = f"/{session.secret}"

    def choose(self, **changes: str) -> httpx.Response:
        here = self.world.server.base_url
        form = choose({"host": here, "api": here, "public_url": "https://bot.example.org"} | changes)
        return self.client.post(f"{self.root}/", data=form)

    def create(self) -> dict[str, str]:
        """On GitHub's pages; what it sends back."""
        page = self.choose().text
        manifest = _between(page, 'name="manifest" value="', '"')
        state = _between(page, "?state=", '"')
        with httpx.Client(base_url=self.world.server.base_url, trust_env=False) as browser:
            shown = browser.post(f"/settings/apps/new?state={state}", data={"manifest": manifest}).text
            form = {"token": _between(shown, 'name="token" value="', '"'), "name": "Understudy of Acme"}
            sent = browser.post("/settings/apps/manifest", data=form).headers["location"]
        assert sent.startswith(f"{self.client.base_url}/created?")
        return {name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()}

    def created(self, **given: str) -> httpx.Response:
        return self.client.get("/created", params=given)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.env_file.parent.glob("*")) if self.env_file.parent.exists() else []


def _between(text: str, before: str, after: str) -> str:
    return html.unescape(text.split(before, 1)[1].split(after, 1)[0])


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    with small_world(tmp_path) as world, _opened(tmp_path, world) as made:
        yield made


@contextmanager
def _opened(folder: Path, world: World) -> Iterator[Setup]:
    session = Session(folder / "data" / "understudy.env")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_setup_app(session, address=address, on_done=lambda: None)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        made = Setup(session, world, address)
        try:
            yield made
        finally:
            made.client.close()
            server.should_exit = True
            thread.join(30)


def test_the_path_is_the_key(setup: Setup) -> None:
    for path in ("/", "/x/", "/done", "/x/store"):
        assert setup.client.get(path).status_code == 404
    assert setup.client.get(f"{setup.root}/").status_code == 200
    elsewhere = setup.client.get(f"{setup.root}/", headers={"host": "evil.example"})
    assert elsewhere.status_code == 421
    first = setup.client.get(f"{setup.root}/")
    assert first.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in first.text
    manifest = _between(setup.choose().text, 'name="manifest" value="', '"')
    assert setup.session.secret not in manifest, "GitHub is never told it"


def test_a_wrong_state_is_refused_and_told_nothing(setup: Setup) -> None:
    sent = setup.create()
    for state in ("", "x", sent["state"] + "x"):
        refused = setup.created(code=sent["code"], state=state)
        assert refused.status_code == 409
        assert "expected the state" in refused.text
        assert setup.session.secret not in refused.text
    assert setup.files() == []
    assert setup.created(**sent).status_code == 303, "the right one is good still"
    assert setup.created(**sent).status_code == 409, "and once only"
    assert len(setup.files()) == 2


def test_an_expired_code(setup: Setup) -> None:
    sent = setup.create()
    setup.world.clock.advance(minutes=61)
    refused = setup.created(**sent)
    assert "older than an hour" in refused.text
    assert setup.files() == []


@pytest.mark.parametrize("code", ["../../user", "", "a/b", "a" * 300])
def test_a_code_that_is_none_is_not_asked_about(setup: Setup, code: str) -> None:
    sent = setup.create()
    before = len(setup.world.standin.requests)
    assert "expected the code" in setup.created(code=code, state=sent["state"]).text
    assert len(setup.world.standin.requests) == before


def test_a_github_that_is_away_may_come_back(setup: Setup) -> None:
    sent = setup.create()
    setup.world.standin.faults.bad_gateway("POST", CONVERSIONS, after_effect=False)
    away = setup.created(**sent)
    assert "reload this page within the hour" in away.text
    assert setup.files() == []
    assert setup.created(**sent).status_code == 303


def test_an_api_that_is_elsewhere(setup: Setup) -> None:
    sent = setup.create()
    setup.choose(api="http://127.0.0.1:9/api/v3")
    state = setup.session._state or ""
    assert "expected an answer from http://127.0.0.1:9/api/v3" in setup.created(code=sent["code"], state=state).text


def test_a_folder_that_cannot_be_written_is_said_before_github_is_asked(setup: Setup) -> None:
    setup.env_file.parent.parent.joinpath("data").write_text("a file")
    refused = setup.choose()
    assert refused.status_code == 422
    assert "to be a place that can be written" in refused.text


def test_credentials_that_could_not_be_written_wait(setup: Setup) -> None:
    sent = setup.create()
    setup.env_file.write_text("somebody made one meanwhile")
    refused = setup.created(**sent)
    assert "Try to write them again" in refused.text
    assert setup.client.post(f"{setup.root}/store").status_code == 409
    assert setup.files() == ["understudy.env"]
    setup.env_file.unlink()
    assert setup.client.post(f"{setup.root}/store").status_code == 303
    assert len(setup.files()) == 2
    done = setup.client.get(f"{setup.root}/done").text
    assert "Understudy of Acme is made" in done
    secrets: list[Any] = [setup.world.standin.client_secret, setup.world.standin.private_key_pem]
    assert not any(secret in done for secret in secrets)
    assert "was made already" in setup.choose().text


def test_a_form_without_end(setup: Setup) -> None:
    assert setup.client.post(f"{setup.root}/", content=b"name=" + b"x" * 20_000).status_code == 422
