"""The stand-in has GitHub's routes and no others, and the judges of its answers do judge.

The answers themselves are judged wherever tests use the stand-in: `small_world` holds each against the description.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from app.rehearsal.standin.routes import ROUTES
from app.rehearsal.standin.routing import Route
from app.rehearsal.standin.state import Exchange
from tests.contracts.github_description import check_answer, check_webhook, rest_description
from tests.integration.rehearsal.standin.world import REPO, receiving, small_world

REST = [route for route in ROUTES if route.template != "/graphql"]


@pytest.mark.parametrize("route", REST, ids=lambda route: f"{route.method} {route.template}")
def test_every_route_is_githubs(route: Route) -> None:
    operations = rest_description()["paths"].get(route.template, {})
    assert route.method.lower() in operations


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/app", {"id": 1}, 200),
        ("/app", None, 418),
        ("/rate_limit", {"resources": {}, "rate": {}}, 200),
        ("/repos/a/b/pulls", [{"number": "one"}], 200),
        ("/repos/a/b/pulls/1/files", [{"filename": None}], 200),
        ("/nowhere/at/all", {}, 200),
        ("/repos/a/b/pulls/1", {"message": 3}, 404),
    ],
)
def test_the_judge_of_answers_refuses_what_is_wrong(path: str, body: Any, status: int) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check_answer(Exchange("GET", path, status, json.dumps(body).encode()))


def test_the_judge_of_webhooks_refuses_what_is_wrong(tmp_path: Path) -> None:
    with small_world(tmp_path) as world, receiving() as receiver:
        world.server.deliver_to(receiver.url)
        world.open()
        world.server.drain()
    good = receiver.received[0].payload
    check_webhook("pull_request", good)
    for path, value in (("state", "ajar"), ("created_at", "yesterday"), ("number", None), ("surprise", 1)):
        bad = copy.deepcopy(good)
        bad["pull_request"][path] = value
        with pytest.raises(AssertionError):
            check_webhook("pull_request", bad)


def test_an_unknown_route_is_githubs_404(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        client = world.client(world.token())
        assert client.get(f"/repos/{REPO}/nothing").json()["message"] == "Not Found"
        assert client.put(f"/repos/{REPO}/pulls/1/merge").status_code == 404
