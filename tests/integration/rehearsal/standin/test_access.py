"""Who may ask for what: App tokens, installation tokens, permissions, suspension."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from githubkit import GitHub
from githubkit.auth import AppAuthStrategy
from githubkit.cache import MemCacheStrategy

from tests.integration.rehearsal.standin.world import REPO, World


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"exp": -1}, "must be a numeric value representing the future"),
        ({"exp": 700}, "too far in the future"),
        ({"exp": "soon"}, "must be a numeric value"),
        ({"iat": 120}, "'Issued at' claim"),
    ],
)
def test_app_tokens_keep_the_rules_of_time(world: World, claims: dict[str, Any], told: str) -> None:
    now = int(world.clock().timestamp())
    moved = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    response = world.client(world.app_token(**moved)).get("/app")
    assert response.status_code == 401
    assert told in response.json()["message"]


def test_only_the_private_key_signs(world: World) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(world.app_token(), options={"verify_signature": False})
    for token in (
        jwt.encode(claims, stranger, algorithm="RS256"),
        jwt.encode(claims, "k" * 32, algorithm="HS256"),
        "x",
    ):
        assert world.client(token).get("/app").status_code == 401
    assert world.client(world.app_token(iss="1")).get("/app").status_code == 404


def test_no_token_and_the_wrong_kind_of_token_are_refused(world: World) -> None:
    world.open()
    bare = world.client("x")
    del bare.headers["authorization"]
    assert bare.get(f"/repos/{REPO}").json()["message"] == "Requires authentication"
    assert world.app().get(f"/repos/{REPO}").status_code == 401
    assert world.installation().get("/app").status_code == 401


def test_an_installation_token_lives_one_hour(world: World) -> None:
    client = world.installation()
    world.clock.advance(minutes=59)
    assert client.get(f"/repos/{REPO}").status_code == 200
    world.clock.advance(minutes=1)
    assert client.get(f"/repos/{REPO}").json()["message"] == "Bad credentials"


def test_a_token_can_be_narrowed_to_repositories(world: World) -> None:
    other = world.standin.add_repository("acme/other")
    for narrowed in ({"repositories": ["other"]}, {"repository_ids": [other]}):
        client = world.installation(**narrowed)
        assert client.get("/repos/acme/other").status_code == 200
        assert client.get(f"/repos/{REPO}").status_code == 404
        shown = client.get("/installation/repositories").json()
        assert [one["full_name"] for one in shown["repositories"]] == ["acme/other"]


def test_a_token_can_be_narrowed_to_permissions(world: World) -> None:
    world.open()
    client = world.installation(permissions={"contents": "read"})
    response = client.get(f"/repos/{REPO}/pulls/1")
    assert (response.status_code, response.json()["message"]) == (403, "Resource not accessible by integration")
    assert client.get(f"/repos/{REPO}/compare/main...feature").status_code == 200
    reader = world.installation(permissions={"pull_requests": "read", "checks": "read"})
    assert reader.get(f"/repos/{REPO}/pulls/1").status_code == 200
    assert reader.post(f"/repos/{REPO}/pulls/1/reviews", json={"body": "x"}).status_code == 403
    assert reader.post(f"/repos/{REPO}/check-runs", json={"name": "x", "head_sha": world.head_sha}).status_code == 403


@pytest.mark.parametrize(
    "asked",
    [{"permissions": {"actions": "read"}}, {"permissions": {"contents": "write"}}, {"repositories": ["none"]}],
)
def test_a_token_cannot_be_widened(world: World, asked: dict[str, Any]) -> None:
    path = f"/app/installations/{world.standin.installation_id}/access_tokens"
    assert world.app().post(path, json=asked).status_code == 422


def test_missing_permission_of_the_app_is_403(world: World) -> None:
    world.open()
    del world.standin.permissions["checks"]
    client = world.installation()
    path = f"/repos/{REPO}/commits/{world.head_sha}/check-runs"
    assert client.get(path).status_code == 403


def test_a_repository_without_the_app_does_not_exist_for_it(world: World) -> None:
    world.standin.add_repository("acme/closed", installed=False)
    client = world.installation()
    assert client.get("/repos/acme/closed").status_code == 404
    assert client.get("/installation/repositories").json()["total_count"] == 1
    world.standin.set_installed("acme/closed", True, by="ann")
    assert client.get("/repos/acme/closed").status_code == 200


def test_suspension_and_removal(world: World) -> None:
    client, app = world.installation(), world.app()
    path = f"/app/installations/{world.standin.installation_id}/access_tokens"
    world.standin.suspend(by="ann")
    assert client.get(f"/repos/{REPO}").json()["message"] == "This installation has been suspended"
    assert app.post(path).status_code == 403
    assert app.get("/app/installations").json()[0]["suspended_by"]["login"] == "ann"
    world.standin.unsuspend(by="ann")
    assert client.get(f"/repos/{REPO}").status_code == 200
    world.standin.uninstall(by="ann")
    assert client.get(f"/repos/{REPO}").status_code == 401
    assert app.post(path).status_code == 404
    assert app.get("/app/installations").json() == []


def test_the_hourly_limit_ends_and_starts_afresh(world: World) -> None:
    client = world.installation()
    world.standin.limits.core.limit = 2
    assert client.get(f"/repos/{REPO}").headers["x-ratelimit-remaining"] == "1"
    assert client.get("/rate_limit").json()["rate"]["used"] == 1
    client.get(f"/repos/{REPO}")
    refused = client.get(f"/repos/{REPO}")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("API rate limit exceeded")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) > world.clock().timestamp()
    world.clock.advance(hours=1)
    assert world.installation().get(f"/repos/{REPO}").status_code == 200


def test_graphql_tells_an_empty_budget_in_its_own_way(world: World) -> None:
    world.standin.limits.graphql.limit = 0
    assert world.graphql("{ rateLimit { cost } }")["errors"][0]["type"] == "RATE_LIMITED"


async def test_githubkit_signs_in_and_reads_typed_answers(world: World) -> None:
    world.open()
    auth = AppAuthStrategy(world.standin.app_id, world.standin.private_key_pem)
    config: dict[str, Any] = {"base_url": world.server.base_url, "auto_retry": False, "trust_env": False}
    async with GitHub(auth, cache_strategy=MemCacheStrategy(), **config) as app:
        found = await app.rest.apps.async_get_authenticated()
        assert found.parsed_data is not None
        assert found.parsed_data.slug == "understudy"
    installed = auth.as_installation(world.standin.installation_id)
    async with GitHub(installed, cache_strategy=MemCacheStrategy(), **config) as github:
        pull = (await github.rest.pulls.async_get("acme", "store", 1)).parsed_data
        assert pull.head.sha == world.head_sha
