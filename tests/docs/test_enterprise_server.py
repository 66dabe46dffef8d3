"""docs/enterprise-server.md shows a file of hosts that is taken, every key of it, and the id it speaks of."""

import re
import textwrap
from pathlib import Path

from pydantic import SecretStr

from app.domain.tenants import LARGEST_HOST, join_tenant
from app.github.transport import API_VERSION
from app.hosts import ListedHost, load_hosts
from app.settings import Settings
from tests.contracts.test_enterprise import SERVERS
from tests.integration.test_private_networks import ADVICE

PAGE = (Path(__file__).parents[2] / "docs" / "enterprise-server.md").read_text(encoding="utf-8")


def test_the_file_shown_is_one_that_is_taken(tmp_path: Path) -> None:
    (shown,) = re.findall(r"(?:^    (?:- |  )\w+: .+\n)+", PAGE, re.MULTILINE)
    text = textwrap.dedent(shown)
    assert "ca_file: company.pem" in text
    (tmp_path / "hosts.yaml").write_text(text.replace("  ca_file: company.pem\n", ""))
    (tmp_path / "example.secret").write_text("the secret of the server")
    settings = Settings(
        webhook_secrets=(SecretStr("the secret of github.com"),),
        operator_token=SecretStr("canary-token-0123456789"),
        app_id=17,
        private_key_file=tmp_path / "key.pem",
        hosts=tmp_path / "hosts.yaml",
    )
    assert [one.host.name for one in load_hosts(settings)] == ["github.com", "github.example.org"]


def test_every_key_is_there() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(ListedHost.model_fields)
    assert f"1 to {LARGEST_HOST}" in PAGE


def test_the_ids_shown_are_those_of_the_code() -> None:
    assert f"installation 7 on number 1 is\n`{join_tenant(1, 7)}`" in PAGE
    assert f"number × {join_tenant(1, 7) - 7} + GitHub's" in PAGE


def test_versions_and_words_are_those_of_the_code() -> None:
    assert f"`{API_VERSION}`" in PAGE
    told = [server.removeprefix("ghes-") for server in SERVERS]
    assert f"{', '.join(told[:-1])} and {told[-1]}" in PAGE
    assert ADVICE.split(":")[0] in PAGE.replace("\n", " ")
