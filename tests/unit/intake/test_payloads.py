"""Our payload models against every recorded example, and against broken ones."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from app.domain.errors import Refused
from app.github.payloads import USED_EVENTS, InstallationEvent, PullRequestEvent, parse_event, parse_payload
from app.intake.deliveries import decide_ignored, parse_body
from app.workflows.deliveries import INSTALLATION_STATES, Ignore, decide_start
from tests.npm_packages import npm_package

#: What the package really holds, host by host.
_COUNTS = {"api.github.com": 329, "ghes-31": 49, "ghes-32": 49, "ghes-33": 50, "ghes-34": 124, "ghes-35": 125}


@cache
def _examples(host: str) -> list[tuple[str, dict[str, Any]]]:
    index = npm_package("@octokit/webhooks-examples", "7.6.1") / host / "index.json"
    return [(event["name"], payload) for event in json.loads(index.read_text()) for payload in event["examples"]]


@pytest.mark.parametrize("host", _COUNTS)
def test_every_recorded_payload_is_accepted_with_its_ids(host: str) -> None:
    examples = _examples(host)
    assert len(examples) == _COUNTS[host]
    for name, payload in examples:
        event = parse_event(name, json.dumps(payload).encode())
        assert event.action == payload.get("action")
        assert _id(event.installation) == _raw_id(payload, "installation")
        assert _id(event.repository) == _raw_id(payload, "repository")
        assert _id(event.sender) == _raw_id(payload, "sender")
        if isinstance(event, PullRequestEvent):
            assert event.pull_request.number == payload["pull_request"]["number"]
            assert event.pull_request.head.sha == payload["pull_request"]["head"]["sha"]
            assert event.repository.full_name == payload["repository"]["full_name"]


def test_the_two_hosts_of_the_promise_hold_454() -> None:
    assert len(_examples("api.github.com")) + len(_examples("ghes-35")) == 454


def test_what_intake_puts_aside_no_workflow_would_act_upon() -> None:
    for name, payload in _examples("api.github.com"):
        body = json.dumps(payload).encode()
        if decide_ignored(name, parse_body(body), "understudy") is None:
            continue
        event = parse_event(name, body)
        if isinstance(event, InstallationEvent):
            assert event.action not in INSTALLATION_STATES
        else:
            assert isinstance(decide_start(event, guid="g", host="github.com", app_slug="understudy"), Ignore)


def _id(part: Any) -> int | None:
    return None if part is None else part.id


def _raw_id(payload: dict[str, Any], name: str) -> int | None:
    return (payload.get(name) or {}).get("id")


def _one_of_each() -> list[tuple[str, dict[str, Any]]]:
    chosen = {(name, payload.get("action")): payload for name, payload in _examples("api.github.com")}
    return [(name, payload) for (name, _), payload in chosen.items() if name in USED_EVENTS]


def _places(part: dict[str, Any], depth: int) -> Iterator[tuple[dict[str, Any], str]]:
    """Every field down to a depth, as the object that holds it and its name there."""
    for name, value in list(part.items()):
        yield part, name
        if isinstance(value, dict) and depth > 1:
            yield from _places(value, depth - 1)


_ODD_VALUES: tuple[Any, ...] = (None, "text", 7, -1, [], {}, True, "\0", 2**70)


def _judge(name: str, payload: dict[str, Any]) -> None:
    """Must either be understood or refused; any other exception fails the test."""
    try:
        event = parse_payload(name, payload)
    except Refused:
        return
    decide_start(event, guid="g", host="github.com", app_slug="understudy")


def test_a_dropped_nulled_renamed_or_odd_field_is_never_an_unhandled_error() -> None:
    judged = 0
    for name, original in _one_of_each():
        payload = copy.deepcopy(original)
        for part, field in _places(payload, 3):
            kept = part.pop(field)
            _judge(name, payload)
            part[f"{field}_renamed"] = kept
            _judge(name, payload)
            del part[f"{field}_renamed"]
            for odd in _ODD_VALUES:
                part[field] = odd
                _judge(name, payload)
            part[field] = kept
            judged += 2 + len(_ODD_VALUES)
    assert judged > 50_000


def test_a_refusal_names_the_field_and_never_its_value() -> None:
    name, payload = next(item for item in _one_of_each() if item[0] == "pull_request")
    broken = copy.deepcopy(payload)
    broken["pull_request"]["head"] = "canary-4711"
    with pytest.raises(Refused, match=r"a pull_request event lacks what we need: pull_request\.head: ") as refused:
        parse_payload(name, broken)
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parse_event("pull_request", body)
