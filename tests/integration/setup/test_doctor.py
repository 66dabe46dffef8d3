"""Mistakes planted on a running stand-in GitHub and a running service: the doctor names each, with its cure."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.doctor.checked import Checked, Health
from app.doctor.examining import examine
from app.rehearsal.standin.auth import AppKey
from app.version import read_version
from tests.integration.intake.conftest import TOKEN, running, settings_for
from tests.integration.rehearsal.standin.world import REPO, SECRET, World, small_world

FINE, WARNING, PROBLEM = Health


class Ward:
    """An installation to be examined, by its environment."""

    def __init__(self, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.folder, self._patch = world, folder, monkeypatch
        for name in [name for name in os.environ if name.startswith("UNDERSTUDY_")]:
            monkeypatch.delenv(name)
        self.key = folder / "the.pem"
        self.write_key(world.standin.private_key_pem)
        here = world.server.base_url
        self.set(WEBHOOK_SECRETS=SECRET, OPERATOR_TOKEN=TOKEN, APP_ID=str(world.standin.app_id), PORT="9")
        self.set(PRIVATE_KEY_FILE=str(self.key), GITHUB_API_URL=here, GITHUB_GIT_URL=here, DATA=str(folder / "data"))
        self.set(DATABASE_URL=f"sqlite:///{folder / 'understudy.db'}", BASE=str(folder / "base"))
        self.set(SERVING=str(folder / "serving"))

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self._patch.setenv(f"UNDERSTUDY_{name}", value)

    def write_key(self, pem: str) -> None:
        self.key.write_text(pem)
        self.key.chmod(0o600)

    async def examine(self) -> dict[str, Checked]:
        return {one.name: one for one in await examine()}


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    with small_world(tmp_path) as world:
        yield Ward(world, tmp_path, monkeypatch)


async def test_what_github_knows(ward: Ward) -> None:
    found = await ward.examine()
    assert found["App and key"].health is FINE
    assert found["App's permissions"].health is FINE
    assert found["installation on acme"].health is FINE
    assert found["clock"].health is FINE
    assert found["webhook address"].told == "the App has no webhook"
    assert found["base checkpoint"].health is PROBLEM

    ward.world.standin.asked_permissions = ward.world.standin.permissions | {"checks": "read"}
    del ward.world.standin.permissions["issues"]
    found = await ward.examine()
    assert "checks: write" in found["App's permissions"].told
    assert "issues: read" in found["installation on acme"].told

    ward.set(APP_SLUG="another")
    assert "slug is understudy" in (await ward.examine())["App and key"].told
    ward.write_key(AppKey().pem)
    found = await ward.examine()
    assert found["App and key"].health is PROBLEM
    assert "private key" in found["App and key"].cure
    assert "webhooks" not in found, "what a broken thing makes unknowable is left out"


async def test_nobody_at_githubs_address(ward: Ward) -> None:
    ward.set(GITHUB_API_URL="http://127.0.0.1:9")
    found = await ward.examine()
    assert "no answer from http://127.0.0.1:9" in found["App and key"].told
    assert found["clock"].health is WARNING


async def test_a_wrong_webhook_secret_shows_in_githubs_own_log(ward: Ward) -> None:
    settings = settings_for(
        f"sqlite:///{ward.folder / 'understudy.db'}", ward.folder, webhook_secrets=("not the App's secret",)
    )
    with running(settings) as service:
        ward.world.standin.webhooks.point_at(f"{service.url}/webhooks", secret=SECRET)
        ward.world.server.deliver_to(f"{service.url}/webhooks")
        ward.set(PUBLIC_URL=service.url, PORT=service.url.rsplit(":", 1)[1])
        ward.world.standin.open_pull_request(REPO, author="bob", title="x", head_ref="feature")
        ward.world.server.drain()
        found = await ward.examine()
        assert "refuses their signature (401)" in found["webhooks"].told
        assert "UNDERSTUDY_WEBHOOK_SECRETS" in found["webhooks"].cure
        assert found["public address"].health is FINE
        assert found["service"].health is FINE
        assert found["version"].health is FINE, "the running service says the same one"
        assert service.status()["version"] == found["version"].told == read_version()
        ward.set(PUBLIC_URL="http://127.0.0.1:9")
        found = await ward.examine()
        assert found["webhook address"].health is PROBLEM
        assert found["public address"].health is WARNING


async def test_files_that_others_read(ward: Ward) -> None:
    place = ward.folder / "x.env"
    place.write_text("UNDERSTUDY_RETENTION_DAYS=31\n")
    place.chmod(0o644)
    ward.key.chmod(0o644)
    ward.set(ENV_FILE=str(place))
    found = await ward.examine()
    assert found["environment file"].health is PROBLEM
    assert found["private key's file"].health is PROBLEM


async def test_settings_that_are_wrong_come_first_and_the_rest_is_examined(ward: Ward) -> None:
    ward.set(APP_ID="x", PORT="y")
    first, *rest = await examine()
    assert first.name == "settings"
    assert "UNDERSTUDY_APP_ID" in first.told
    assert "UNDERSTUDY_PORT" in first.told
    found = {one.name for one in rest}
    assert {"environment file", "data folder", "disk", "SQLite", "database", "base checkpoint"} <= found
    assert not {"App and key", "clock", "service"} & found, "what they tell of is not known"
    ward.set(APP_ID=str(ward.world.standin.app_id), PORT="9", DATABASE_URL="mysql://x/y")
    found_now = await ward.examine()
    assert "expected a SQLite file" in found_now["settings"].told
    assert found_now["App and key"].health is FINE
    assert "database" not in found_now
    other = ward.folder / "no.db"
    other.write_text("text and more text, longer than what a database begins with\n" * 9)
    ward.set(DATABASE_URL=f"sqlite:///{other}")
    found_now = await ward.examine()
    assert "file is not a database" in found_now["database"].told
    assert "backlog" not in found_now, "nobody knows what waits"


async def test_each_github_is_examined_under_its_name(ward: Ward) -> None:
    """The stand-in by another name is another GitHub."""
    here = ward.world.server.base_url.replace("127.0.0.1", "localhost")
    (ward.folder / "secret").write_text("another webhook secret")
    entry = {"number": 3, "api_url": here, "git_url": here, "app_id": ward.world.standin.app_id, "app_slug": "another"}
    entry |= {"private_key_file": "the.pem", "webhook_secret_files": ["secret"]}
    place = ward.folder / "hosts.yaml"
    place.write_text(json.dumps([entry]))
    ward.set(HOSTS=str(place))
    found = await ward.examine()
    assert found["App and key (127.0.0.1)"].health is FINE
    assert found["App and key (localhost)"].health is PROBLEM
    assert found["App and key (localhost)"].cure.endswith(f"It is number 3 in {place}.")
    assert found["installation on acme (127.0.0.1)"].health is FINE
    assert found["installation on acme (localhost)"].health is FINE
    place.write_text(json.dumps([entry | {"private_key_file": "secret"}]))
    found = await ward.examine()
    assert "expected an RSA private key" in found["private key (localhost)"].told
    assert found["App and key (127.0.0.1)"].health is FINE
