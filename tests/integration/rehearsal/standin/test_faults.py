"""Faults strike once each, where they were aimed."""

import httpx
import pytest

from tests.integration.rehearsal.standin.world import REPO, World, numbered

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
REVIEWS = f"{PULL}/reviews"
PATH = f"/repos/{REPO}/pulls/1"
BODY = {"event": "COMMENT", "body": "b"}


def statuses(client: httpx.Client, times: int) -> list[int]:
    return [client.post(f"{PATH}/reviews", json=BODY).status_code for _ in range(times)]


@pytest.mark.parametrize(("after_effect", "made"), [(False, 1), (True, 3)])
def test_bad_gateway_before_and_after_the_effect(world: World, after_effect: bool, made: int) -> None:
    world.open()
    world.standin.faults.bad_gateway("POST", REVIEWS, after_effect=after_effect, times=2)
    client = world.installation()
    assert client.get(f"{PATH}/reviews").status_code == 200
    assert statuses(client, 3) == [502, 502, 200]
    assert len(world.standin.reviews(REPO, 1)) == made


@pytest.mark.parametrize("seconds", [None, 7])
def test_secondary_limit_with_and_without_retry_after(world: World, seconds: int | None) -> None:
    world.open()
    world.standin.faults.secondary_limit("POST", REVIEWS, retry_after_seconds=seconds)
    response = world.installation().post(f"{PATH}/reviews", json=BODY)
    assert response.status_code == 403
    assert "secondary rate limit" in response.json()["message"]
    assert response.headers.get("retry-after") == (None if seconds is None else str(seconds))
    assert response.headers["x-ratelimit-remaining"] != "0"
    assert world.standin.reviews(REPO, 1) == []
    assert statuses(world.installation(), 1) == [200]


def test_a_token_expires_under_way(world: World) -> None:
    world.open()
    world.standin.faults.expire_token("GET", PULL)
    client = world.installation()
    assert client.get(PATH).status_code == 401
    assert client.get(PATH).status_code == 401
    assert world.installation().get(PATH).status_code == 200


def test_a_force_push_between_read_and_post(world: World) -> None:
    world.open()
    forced = world.work.commit({"a.py": numbered({30: "thirty"})}, "Anew", "feature", start="main")
    world.standin.faults.before("POST", REVIEWS, lambda: world.standin.push(REPO, 1, forced, force=True))
    client = world.installation()
    head = client.get(PATH).json()["head"]["sha"]
    comments = [{"path": "a.py", "line": 20, "body": "b"}]
    refused = client.post(f"{PATH}/reviews", json={"commit_id": head, "comments": comments, **BODY})
    assert refused.status_code == 422
    assert client.get(PATH).json()["head"]["sha"] == forced
    assert world.standin.reviews(REPO, 1) == []


def test_graphql_and_any_route_can_be_struck(world: World) -> None:
    token = world.token()
    world.standin.faults.bad_gateway("*", "*", after_effect=False)
    assert world.client(token).post("/graphql", json={}).status_code == 502
