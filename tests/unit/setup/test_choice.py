"""What is typed on the setup page, and what is posted to GitHub because of it."""

import json
from pathlib import Path

import pytest

from app.domain.app_permissions import CANNOT, ONBOARDING, PERMISSIONS
from app.domain.errors import UserError
from app.setup.choice import api_address, parse_choice
from app.setup.manifest import load_events, render_manifest
from app.setup.pages import EMPTY, render_form, render_review
from tests.integration.setup.programs import choose

PLAIN = choose({"where": "github", "public_url": "https://bot.example.org/"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "https://github.com/organizations/acme/settings/apps/new"),
        ({"owner": "person"}, "https://github.com/settings/apps/new"),
        (
            {"where": "enterprise", "host": "https://git.acme.example/"},
            "https://git.acme.example/organizations/acme/settings/apps/new",
        ),
    ],
)
def test_the_manifest_goes_where_its_owner_is(changes: dict[str, str], expected: str) -> None:
    assert parse_choice(PLAIN | changes).form_address == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://git.acme.example:8443", "https://git.acme.example:8443/api/v3"),
    ],
)
def test_where_the_api_is(host: str, expected: str) -> None:
    assert api_address(host) == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"organisation": "https://github.com/acme"}, "the organisation's name as in its address"),
        ({"name": ""}, "a name of 1 to 34 characters"),
        ({"name": "x" * 35}, "a name of 1 to 34 characters"),
        ({"public_url": "bot.example.org"}, "the public address of the service"),
        ({"public_url": "ftp://bot.example.org"}, "the public address of the service"),
        ({"public_url": "https://bot.example.org/?a=b"}, "the public address of the service"),
        ({"where": "enterprise", "host": ""}, "the address of your Enterprise Server"),
        ({"where": "enterprise", "host": "https://git.example/api/v3"}, "the address of your Enterprise Server"),
        ({"where": "enterprise", "host": "https://user:word@git.example"}, "the address of your Enterprise Server"),
        ({"where": "enterprise", "host": "https://a;b"}, "the address of your Enterprise Server"),
        ({"where": "enterprise", "host": "https://git.example", "api": "//x"}, "the address of its API"),
        (
            {"where": "enterprise", "host": "https://git.example", "api": "https://api.github.com"},
            "the API's address on git.example, or api. before that, got one on api.github.com",
        ),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_choice(PLAIN | changes)


def test_the_manifest_is_app_yml_with_the_addresses() -> None:
    made = render_manifest(parse_choice(PLAIN | {"public_url": "https://x.example/bot/"}), "http://127.0.0.1:1/created")
    assert made["hook_attributes"] == {"url": "https://x.example/bot/webhooks", "active": True}
    assert made["callback_urls"] == ["https://x.example/bot/dashboard/sign-in/callback"]
    assert made["setup_url"] == "https://x.example/bot/installed"
    assert made["redirect_url"] == "http://127.0.0.1:1/created"
    assert made["default_events"] == load_events()
    assert made["default_permissions"]["contents"] == "read"
    assert made["public"] is False


def test_contents_are_written_only_by_choice() -> None:
    assert not parse_choice(PLAIN).propose
    assert not parse_choice(PLAIN | {"propose": "on"}).propose
    asked = render_manifest(parse_choice(PLAIN | {"propose": "yes"}), "http://127.0.0.1:1/created")
    assert asked["default_permissions"] == {one.name: one.level for one in (*PERMISSIONS, ONBOARDING)}


def test_the_pages_say_each_permission_with_its_reason() -> None:
    page = render_form("/secret", EMPTY, env_file=Path("nowhere.env"))
    for one in (*PERMISSIONS, ONBOARDING):
        assert f"{one.name}: {one.level}" in page
        assert one.reason in page
    assert all(one in page for one in CANNOT)
    choice = parse_choice(PLAIN | {"propose": "yes"})
    review = render_review(choice, render_manifest(choice, "http://127.0.0.1:1/created"), "s", root="/secret")
    assert "contents: write" in review
    assert "contents: read" not in review


def test_what_was_typed_is_text_on_the_page() -> None:
    hostile = {"name": '"><script>alert(1)</script>\u202e'}
    page = render_form("/secret", hostile, env_file=Path("nowhere.env"), problem="<b>no</b>")
    assert "<script>" not in page
    assert "<b>no" not in page
    choice = parse_choice(PLAIN | {"name": "\"><script>'"})
    review = render_review(choice, render_manifest(choice, "http://127.0.0.1:1/created"), "s", root="/r")
    assert "<script>" not in review
    assert (
        json.dumps("\"><script>'").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;").replace("'", "&#39;")
        in review
    )
