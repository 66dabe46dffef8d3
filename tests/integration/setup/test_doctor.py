"""Mistakes planted on a running stand-in GitHub and a running service: the doctor names each, with its cure."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.doctor.checked import Checked, Health
from app.doctor.examining import examine
from app.rehearsal.standin.auth import AppKey
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


async def test_settings_that_are_wrong_end_the_examination(ward: Ward) -> None:
    ward.set(APP_ID="x")
    found = await ward.examine()
    assert "UNDERSTUDY_APP_ID" in found["settings"].told
    assert set(found) == {"settings", "environment file"}
    ward.set(APP_ID="1", DATABASE_URL="mysql://x/y")
    assert "expected a SQLite file" in (await ward.examine())["settings"].told
