"""Key and settings: for their owner alone, both or none, nothing lost."""

import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from app.domain.errors import UserError
from app.github.registering import AppCredentials
from app.settings import load_settings
from app.setup import storing
from app.setup.choice import Choice, parse_choice
from app.setup.remaining import render_steps, render_told
from app.setup.storing import render_env, store_credentials
from tests.integration.setup.programs import choose

PEM = "-----BEGIN RSA PRIVATE KEY-----\nnone\n-----END RSA PRIVATE KEY-----\n"


def made(**changes: object) -> AppCredentials:
    return AppCredentials.model_validate(
        {"id": 9, "slug": "bot", "name": "Bot", "html_url": "https://github.com/apps/bot", "pem": PEM}
        | {"webhook_secret": "w" * 40, "client_id": "Iv1.a", "client_secret": "c" * 40}
        | changes
    )


def choice(**changes: str) -> Choice:
    return parse_choice(choose({"where": "github", "public_url": "https://bot.example.org"} | changes))


def test_the_service_reads_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a folder's" / "understudy.env"
    stored = store_credentials(place, choice(), made())
    for path in (place, stored.key_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(place.parent.iterdir()) == sorted([place, stored.key_file])
    assert stat.S_IMODE(place.parent.stat().st_mode) & 0o077 == 0
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNDERSTUDY_ENV_FILE", str(place))
    settings = load_settings()
    assert settings.private_key_file.read_text() == PEM
    assert [one.get_secret_value() for one in settings.webhook_secrets] == ["w" * 40]
    assert (settings.app_id, settings.app_slug, settings.client_id) == (9, "bot", "Iv1.a")
    assert settings.public_url == "https://bot.example.org"
    assert len(settings.operator_token.get_secret_value()) == 64
    monkeypatch.setenv("UNDERSTUDY_APP_SLUG", "another")
    assert load_settings().app_slug == "another", "the environment wins"


def test_a_named_file_that_is_not_there_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENV_FILE", str(tmp_path / "none.env"))
    with pytest.raises(UserError, match="UNDERSTUDY_ENV_FILE"):
        load_settings()


def test_what_is_there_is_kept_aside_and_only_when_asked(tmp_path: Path) -> None:
    place = tmp_path / "understudy.env"
    place.write_text("UNDERSTUDY_APP_ID=1\n")
    with pytest.raises(UserError, match="tick the box"):
        store_credentials(place, choice(), made())
    assert place.read_text() == "UNDERSTUDY_APP_ID=1\n"
    stored = store_credentials(place, choice(replace="yes"), made())
    assert stored.kept is not None
    assert stored.kept.read_text() == "UNDERSTUDY_APP_ID=1\n"
    assert stat.S_IMODE(stored.kept.stat().st_mode) == 0o600
    assert dotenv_values(place)["UNDERSTUDY_APP_ID"] == "9"


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_a_disk_that_is_full_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    """The nth write fails: the trial, the key, the settings."""
    place, real, count = tmp_path / "understudy.env", storing._write, [0]

    def write(path: Path, text: str) -> None:
        count[0] += 1
        real(path, text)
        if count[0] == broken:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing, "_write", write)
    with pytest.raises(UserError, match="No space left on device"):
        store_credentials(place, choice(), made())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["plain", "with space", "quote's", 'double"', "back\\slash", "#hash", "a=b", "$HOME"])
def test_every_value_comes_back(tmp_path: Path, value: str) -> None:
    place = tmp_path / "x.env"
    place.write_text(render_env({"X": value}, "An\nApp"))
    assert dotenv_values(place) == {"UNDERSTUDY_X": value}


@pytest.mark.parametrize("value", ["two\nlines", "${HOME}"])
def test_a_value_that_no_line_can_hold_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="plainer folder"):
        render_env({"X": value}, "App")


def test_what_is_left_holds_no_secret_and_says_a_missing_one(tmp_path: Path) -> None:
    given = made(webhook_secret=None)
    stored = store_credentials(tmp_path / "x.env", choice(), given)
    told = render_told(render_steps(choice(), given, stored))
    assert "GitHub made no webhook secret" in told
    assert "https://github.com/apps/bot/installations/new" in told
    assert not any(value in told for value in (PEM, "c" * 40, str(SecretStr("w" * 40).get_secret_value())))
