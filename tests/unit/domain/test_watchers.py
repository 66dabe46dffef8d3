"""Who reads figures without a token: a caller on this machine that asked this machine."""

import pytest

from app.domain.watchers import may_watch


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.8.8.8"]
)
def test_from_here_to_here(host: str) -> None:
    assert may_watch("127.0.0.1", {"host": host}, None)
    assert may_watch("::1", {"host": host}, None)
    assert not may_watch("10.0.0.9", {"host": host}, None)
    assert not may_watch(None, {"host": host}, None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "understudy.example.org"},
        {"host": "rebound.example:8080"},
        {"host": "127.0.0.1.example.org"},
        {"host": "[2001:db8::1]:8080"},
        {"host": "127.0.0.1:8080", "x-forwarded-for": "10.0.0.9"},
    ],
)
def test_whoever_asked_for_another_host_came_through_somebody(headers: dict[str, str]) -> None:
    assert not may_watch("127.0.0.1", headers, None)


def test_with_a_token_the_host_does_not_matter() -> None:
    sent = {"host": "understudy.example.org", "authorization": "Bearer secret"}
    assert may_watch("10.0.0.9", sent, "secret")
    assert not may_watch("127.0.0.1", {"host": "127.0.0.1"}, "secret")
