"""What intake reads of a delivery, and what it puts aside."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.tenants import LARGEST_INSTALLATION, Host
from app.intake.deliveries import Glance, decide_ignored, parse_body, parse_headers

_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "x-github-event": "pull_request",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": "sha256=secret",
    "authorization": "also secret",
}
_GLANCE = Glance(action="opened", installation_id=1, sender_type="User", sender_login="ann")


def test_a_guid_is_known_under_its_host_and_signatures_are_not_kept() -> None:
    envelope = parse_headers(_HEADERS).under("ghe.example")
    assert envelope.guid == "ghe.example:72d3162e-cc78-11e3-81ab-4c9367dc0958"
    assert envelope.event == "pull_request"
    assert set(envelope.headers) == {"x-github-event", "x-github-delivery"}


def test_only_an_enterprise_server_says_which_it_is() -> None:
    assert parse_headers(_HEADERS).claimed_host is None
    claiming = parse_headers(
        _HEADERS | {"x-github-enterprise-host": "GHE.example", "x-github-enterprise-version": "3.17"}
    )
    assert claiming.claimed_host == "ghe.example"


def test_the_same_installation_of_two_hosts_is_two_tenants() -> None:
    assert _GLANCE.of(Host(0, "github.com", "understudy")) == _GLANCE
    assert _GLANCE.of(Host(3, "ghe.example", "understudy")).installation_id == (3 << 44) + 1
    odd = replace(_GLANCE, installation_id=LARGEST_INSTALLATION + 1)
    assert odd.of(Host(0, "github.com", "understudy")).installation_id is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("content-type", "application/x-www-form-urlencoded", "content_type"),
        ("content-type", "", "content_type"),
        ("x-github-event", "", "headers"),
        ("x-github-event", "Pull Request", "headers"),
        ("x-github-event", "a" * 65, "headers"),
        ("x-github-delivery", "", "headers"),
        ("x-github-delivery", "a b c d e f", "headers"),
        ("x-github-delivery", "a" * 101, "headers"),
    ],
)
def test_odd_headers_are_refused(name: str, value: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_headers(_HEADERS | {name: value})
    assert refused.value.reason == reason


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"text"', b"\xff\xfe", b"[" * 100_000, b"payload=%7B%7D"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse_body(body)
    assert refused.value.reason == "json"
    assert refused.value.__cause__ is None  # nothing that could carry the body into a log


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional={"action": _JSON, "installation": _JSON, "sender": _JSON}))
def test_whatever_the_object_holds_is_glanced_at(payload: dict[str, object]) -> None:
    import json

    glance = parse_body(json.dumps(payload).encode())
    assert glance.action is None or len(glance.action) <= 200
    assert glance.installation_id is None or 0 < glance.installation_id < 2**63


@pytest.mark.parametrize(
    ("event", "action", "sender", "ignored"),
    [
        ("pull_request", "opened", ("User", "ann"), None),
        ("pull_request", "opened", ("Bot", "dependabot[bot]"), None),
        ("pull_request", "opened", ("Bot", "understudy[bot]"), "ignored: own act"),
        ("pull_request", "opened", ("User", "understudy[bot]"), None),
        ("pull_request", "assigned", ("User", "ann"), "ignored: unused event"),
        ("pull_request", None, ("User", "ann"), "ignored: unused event"),
        ("workflow_run", "completed", ("User", "ann"), "ignored: unused event"),
        ("installation", "created", ("User", "ann"), None),
        ("label", "edited", ("User", "ann"), None),
        ("label", "deleted", ("User", "ann"), None),
        ("label", "created", ("User", "ann"), "ignored: unused event"),
    ],
)
def test_own_acts_and_unused_events_are_kept_and_ignored(
    event: str, action: str | None, sender: tuple[str, str], ignored: str | None
) -> None:
    glance = Glance(action=action, installation_id=1, sender_type=sender[0], sender_login=sender[1])
    assert decide_ignored(event, glance, "understudy") == ignored


def test_half_a_surrogate_pair_is_replaced_for_no_database_stores_it() -> None:
    glance = parse_body(b'{"action": "\\ud800", "sender": {"login": "a\\udfff", "type": "User"}}')
    assert (glance.action, glance.sender_login) == ("?", "a?")


def test_a_push_is_looked_at_although_it_has_no_action() -> None:
    assert decide_ignored("push", parse_body(b'{"ref": "refs/heads/main"}'), "understudy") is None
