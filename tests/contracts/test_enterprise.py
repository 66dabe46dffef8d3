"""What Enterprise Servers have otherwise than github.com: their published routes, their headers, their limits."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Refused
from app.github.client import GitHubClient
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.enterprise import Enterprise
from app.rehearsal.standin.routes import ROUTES
from tests.integration.rehearsal.standin.world import REPO, SECRET, receiving, seed
from tests.npm_packages import npm_package

#: Those that GitHub describes; see @octokit/openapi.
SERVERS = ("ghes-3.17", "ghes-3.18", "ghes-3.19")
REST = [route for route in ROUTES if route.template != "/graphql"]


@cache
def description(server: str) -> dict[str, Any]:
    path = npm_package("@octokit/openapi", "23.0.2") / "generated" / f"{server}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("server", SERVERS)
def test_every_route_that_we_use_is_there_on_every_enterprise_server(server: str) -> None:
    paths = description(server)["paths"]
    missing = [f"{one.method} {one.template}" for one in REST if one.method.lower() not in paths.get(one.template, {})]
    assert missing == []


def _fields(schema: dict[str, Any], whole: dict[str, Any]) -> set[str]:
    """Fields of an object, through references."""
    if "$ref" in schema:
        return _fields(whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], whole)
    parts = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())]
    return set(schema.get("properties", {})).union(*(_fields(part, whole) for part in parts))


#: What app/github reads of answers, by the component that describes them.
READ = {
    "pull-request": {"number", "state", "draft", "head", "base", "merged", "merge_commit_sha", "labels", "user"},
    "pull-request-simple": {"number", "state", "draft", "head", "labels", "created_at", "updated_at", "merged_at"},
    "pull-request-review": {"id", "state", "body", "commit_id", "user"},
    "pull-request-review-comment": {"id", "node_id", "body", "user", "pull_request_url", "pull_request_review_id"},
    "issue-comment": {"id", "node_id", "body", "user", "issue_url"},
    "check-run": {"id", "external_id", "output"},
    "repository-collaborator-permission": {"permission"},
    "hook-delivery-item": {"id", "guid", "status_code"},
    "installation-token": {"token", "expires_at"},
    "reaction": {"user", "content"},
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", READ)
def test_every_field_that_we_read_is_there_on_every_enterprise_server(server: str, name: str) -> None:
    whole = description(server)
    assert READ[name] <= _fields(whole["components"]["schemas"][name], whole)


def _client(standin: StandIn, server: StandInServer) -> GitHubClient:
    return GitHubClient(
        api_url=server.api_url,
        git_url=server.base_url,
        app_id=standin.app_id,
        private_key_pem=standin.private_key_pem,
        installation_id=standin.installation_id,
        write_pause_seconds=0.0,
    )


def _standin(folder: Path, enterprise: Enterprise) -> StandIn:
    standin = StandIn(folder / "hub", webhook_secret=SECRET, key=seed().key)
    standin.enterprise = enterprise
    standin.add_repository(REPO, bare=seed().bare)
    return standin


async def test_the_client_needs_no_rate_limits_and_finds_rest_and_graphql(tmp_path: Path) -> None:
    standin = _standin(tmp_path, Enterprise())
    with StandInServer(standin) as server:
        standin.open_pull_request(REPO, author="ann", title="One", head_ref="feature")
        github = _client(standin, server)
        assert (await github.fetch_pull(REPO, 1))["title"] == "One"
        assert (await github.fetch_harvest(REPO, 1)).number == 1
        assert await github.fetch_rate_limits() == ()
        run = await github.ensure_check_run(
            REPO, seed().head_sha, external_id="x", conclusion=None, title="t", summary="s", name="Understudy"
        )
        assert run > 0
    assert {record.status for record in standin.requests} == {200, 201, 404}  # 404: /rate_limit


@pytest.mark.parametrize("known", [frozenset(), frozenset({"2099-01-01"})])
async def test_a_server_that_does_not_know_our_version_is_asked_in_its_own(
    tmp_path: Path, known: frozenset[str]
) -> None:
    """Nothing was done when it said so, so a write is not done twice."""
    standin = _standin(tmp_path, Enterprise(api_versions=known))
    with StandInServer(standin) as server:
        number = standin.open_pull_request(REPO, author="ann", title="One", head_ref="feature")
        github = _client(standin, server)
        await github.create_issue_comment(REPO, number, "once")
        await github.create_issue_comment(REPO, number, "twice")
    assert [item["body"] for item in standin.conversation(REPO, number)] == ["once", "twice"]
    refused = [record for record in standin.requests if record.status == 400]
    assert len(refused) == 2  # the App's transport and the installation's, each once


async def test_another_400_is_not_asked_again(tmp_path: Path) -> None:
    standin = _standin(tmp_path, Enterprise())
    with StandInServer(standin) as server:
        github = _client(standin, server)
        with pytest.raises(Refused):
            await github.create_issue_comment(REPO, 99, "nowhere")
    assert [record.status for record in standin.requests if record.method == "POST"] == [201, 404]


def test_its_webhooks_say_whose_they_are(tmp_path: Path) -> None:
    standin = _standin(tmp_path, Enterprise())
    with StandInServer(standin, address="127.0.0.2") as server, receiving() as receiver:
        server.deliver_to(receiver.url)
        standin.open_pull_request(REPO, author="ann", title="One", head_ref="feature")
        server.drain()
    told = receiver.received[0].headers
    assert (told["x-github-enterprise-host"], told["x-github-enterprise-version"]) == ("127.0.0.2", "3.17.4")
