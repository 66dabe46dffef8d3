"""What is set wrongly is named, and what is set rightly is there all the same."""

import os
from pathlib import Path

import pytest

from app.doctor.checked import fail, fine
from app.doctor.host_names import name_host
from app.doctor.salvaging import Salvaged, salvage
from app.domain.errors import UserError
from app.domain.tenants import Host
from app.main import boot
from app.rehearsal.standin.auth import AppKey
from app.settings import load_settings

_GOOD = {"WEBHOOK_SECRETS": "w" * 20, "OPERATOR_TOKEN": "t" * 20, "APP_ID": "1", "PRIVATE_KEY_FILE": "key.pem"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_")]:
        monkeypatch.delenv(name)


def _salvage(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Salvaged:
    for name, value in (_GOOD | changes).items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    return salvage()


def test_good_settings_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch)
    assert known.problems == ()
    assert known.knows_service
    assert [one.host.name for one in known.hosts] == ["github.com"]


def test_nothing_at_all() -> None:
    known = salvage()
    assert known.settings is not None
    assert "UNDERSTUDY_APP_ID: is missing" in known.problems[0]
    assert known.hosts == ()
    assert not known.knows_service


def test_a_wrong_port_leaves_github_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, PORT="x", DATA="/elsewhere")
    assert known.settings is not None
    assert known.settings.data == Path("/elsewhere")
    assert len(known.hosts) == 1
    assert not known.knows_service


def test_a_misspelt_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, RETENTON_DAYS="7")
    assert "did you mean UNDERSTUDY_RETENTION_DAYS?" in known.problems[0]
    assert len(known.hosts) == 1, "the rest is examined"
    assert "did you mean UNDERSTUDY_RETENTION_DAYS?" in _salvage(monkeypatch, PORT="x").problems[0]


_REFUSED = {
    "SCHEDULES": ("7=bad cron", "a schedule such as"),
    "RUNNER": ("hosted", "expected UNDERSTUDY_RUNNER_CONFIG with the runner hosted"),
    "EMBEDDING": ("foo", "expected UNDERSTUDY_EMBEDDING to be static"),
}


def test_what_serve_refuses_at_its_start_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it at once, by what `serve` itself asks."""
    Path("key.pem").write_text(AppKey().pem)
    known = _salvage(monkeypatch, **{name: value for name, (value, _) in _REFUSED.items()})
    assert len(known.problems) == len(_REFUSED)
    assert len(known.hosts) == 1, "the rest is examined"
    for name, (_, words) in _REFUSED.items():
        assert any(words in problem for problem in known.problems)
        with monkeypatch.context() as alone:
            for other in _REFUSED.keys() - {name}:
                alone.delenv(f"UNDERSTUDY_{other}")
            with pytest.raises(UserError, match=words):
                boot(load_settings())


def test_two_servers_for_one_github_are_named_and_neither_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, GITHUB_API_URL="https://ghe.example/api/v3")
    assert "is of github.com" in known.problems[0]
    assert known.settings is not None
    assert known.hosts == ()


def test_a_wrong_app_leaves_the_other_hosts_to_be_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("o" * 20)
    listed = "{number: 2, api_url: https://ghe.example/api/v3, git_url: https://ghe.example, app_id: 3"
    (tmp_path / "hosts.yaml").write_text(f"- {listed}, private_key_file: k.pem, webhook_secret_files: [secret]}}\n")
    known = _salvage(monkeypatch, APP_ID="x", HOSTS="hosts.yaml")
    assert [one.host.name for one in known.hosts] == ["ghe.example"]
    (tmp_path / "hosts.yaml").write_text("- {number: 0}\n")
    known = _salvage(monkeypatch, APP_ID="1", HOSTS="hosts.yaml")
    assert [one.host.name for one in known.hosts] == ["github.com"]
    assert "hosts.yaml" in known.problems[0]


def test_authorities_that_can_not_be_read_are_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, CA_FILE="none.pem")
    assert known.hosts == ()
    assert len(known.problems) == 1


def test_an_unknown_database_and_an_environment_file_that_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = _salvage(monkeypatch, DATABASE_URL="mysql://x/y", ENV_FILE=str(tmp_path / "none.env"))
    assert [any(word in problem for problem in known.problems) for word in ("none.env", "mysql")] == [True, True]
    assert not known.knows("database_url")
    assert len(known.hosts) == 1


def test_settings_that_fit_with_no_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, BODY_LIMIT_BYTES=str(10**10))
    assert known.settings is None
    assert "UNDERSTUDY_UNVERIFIED_LIMIT_BYTES" in known.problems[0]


def test_a_trainer_asks_no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _salvage(monkeypatch, ROLE="gpu", DATABASE_URL="postgresql://understudy@database/understudy")
    assert (known.hosts, known.problems) == ((), ())


def test_a_finding_of_one_host_of_several_speaks_of_its_entry() -> None:
    found = fail("App and key", "no", "Set UNDERSTUDY_APP_SLUG=bot: see UNDERSTUDY_APP_ID.")
    plain, other = Host(0, "github.com", "bot"), Host(2, "ghe.example", "bot")
    assert name_host(found, plain, None) == found
    named = name_host(found, plain, Path("h.yaml"))
    assert (named.name, named.cure) == ("App and key (github.com)", found.cure)
    named = name_host(found, other, Path("h.yaml"))
    assert named.name == "App and key (ghe.example)"
    assert named.cure == "Set `app_slug` to bot: see `app_id`. It is number 2 in h.yaml."
    assert name_host(fine("clock", "x"), other, Path("h.yaml")).cure == ""
