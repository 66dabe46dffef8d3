"""The file of further hosts: every mistake is named, no secret is shown, and hosts stay apart."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from app.domain.errors import UserError
from app.domain.tenants import Host
from app.hosts import load_hosts
from app.settings import Settings

SECRET = "canary-secret-of-the-server"


def settings(folder: Path, listed: object, **changes: Any) -> Settings:
    (folder / "ghe.secret").write_text(f"{SECRET}\n")
    (folder / "hosts.yaml").write_text(listed if isinstance(listed, str) else yaml.safe_dump(listed))
    given: dict[str, Any] = {
        "webhook_secrets": (SecretStr("canary-secret-of-github"),),
        "operator_token": SecretStr("canary-token-0123456789"),
        "app_id": 17,
        "private_key_file": folder / "key.pem",
        "hosts": folder / "hosts.yaml",
    }
    return Settings(**(given | changes))


def entry(**changes: Any) -> dict[str, Any]:
    good = {
        "number": 2,
        "api_url": "https://GHE.example/api/v3",
        "git_url": "https://ghe.example",
        "app_id": 5,
        "app_slug": "reviews",
        "private_key_file": "ghe.pem",
        "webhook_secret_files": ["ghe.secret"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def test_without_a_file_there_is_the_one_of_the_settings(tmp_path: Path) -> None:
    (only,) = load_hosts(settings(tmp_path, [], hosts=None))
    assert only.host == Host(0, "github.com", "understudy")
    assert (only.api_url, only.app_id, only.webhook_secrets) == (
        "https://api.github.com",
        17,
        ("canary-secret-of-github",),
    )


def test_further_hosts_have_everything_of_their_own(tmp_path: Path) -> None:
    first, second = load_hosts(settings(tmp_path, [entry()]))
    assert first.host.number == 0
    assert second.host == Host(2, "ghe.example", "reviews")
    assert second.webhook_secrets == (SECRET,)
    assert second.private_key_file == tmp_path / "ghe.pem"  # relative to the file's folder
    assert "canary" not in repr((first, second))


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("{", "could not read it: ParserError"),
        ({"number": 1}, "the file|valid tuple"),
        ([entry(number=0)], "0.number: Input should be greater than or equal to 1"),
        ([entry(number=512)], "0.number"),
        ([entry(app_id=None)], "0.app_id: Field required"),
        ([entry(client_id="x")], "0.client_id: Extra inputs are not permitted"),
        ([entry(git_url="ghe.example")], "0.git_url: is no address with scheme and host"),
        (
            [entry(git_url="https://other.example")],
            "host 2 has its api_url at ghe.example and its git_url at ",
        ),
        ([entry(), entry()], "a number of its own for each host, got 2 twice"),
        ([entry(), entry(number=3)], "each host once, got ghe.example as number 2 and 3"),
        ([entry(git_url="https://github.com", api_url="https://api.github.com")], "github.com as number 0 and 2"),
        ([entry(webhook_secret_files=[])], "0.webhook_secret_files"),
        ([entry(webhook_secret_files=["none"])], "expected a webhook secret in .*none, could not read it"),
        ([entry(webhook_secret_files=["hosts.yaml", "short"])], "the webhook secret in .*short is shorter than 16"),
        ([entry(ca_file="none.pem")], "authorities of ghe.example as certificates in PEM in .*none.pem.*No such file"),
        ([entry(ca_file="ghe.secret")], "authorities of ghe.example as certificates in PEM in .*ghe.secret"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_shown(tmp_path: Path, listed: object, words: str) -> None:
    (tmp_path / "short").write_text("canary")
    with pytest.raises(UserError, match=words) as refused:
        load_hosts(settings(tmp_path, listed))
    assert "canary" not in str(refused.value)


def test_two_hosts_with_one_secret_are_refused(tmp_path: Path) -> None:
    shared = settings(tmp_path, [entry()], webhook_secrets=(SecretStr("canary-older-secret"), SecretStr(SECRET)))
    with pytest.raises(UserError, match=r"but github\.com and ghe\.example share one"):
        load_hosts(shared)


def test_the_first_hosts_authorities_are_read_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"authorities of github\.com"):
        load_hosts(settings(tmp_path, [], ca_file=tmp_path / "none.pem"))
