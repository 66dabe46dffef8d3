"""What GitHub's failures mean to us."""

import httpx
import pytest

from app.domain.errors import Refused, RetryLater
from app.github.transport import LIMIT_PAUSE, SERVER_PAUSE, describe_failure


@pytest.mark.parametrize(
    ("status", "message", "after_seconds"),
    [
        (502, "Bad gateway", SERVER_PAUSE),
        (403, "You have exceeded a secondary rate limit.", LIMIT_PAUSE),
        (429, "API rate limit exceeded", LIMIT_PAUSE),
    ],
)
def test_later(status: int, message: str, after_seconds: float) -> None:
    meaning = describe_failure("GET", "/x", httpx.Response(status, json={"message": message}))
    assert isinstance(meaning, RetryLater)
    assert meaning.after_seconds == after_seconds


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "bad_credentials"), (403, "forbidden"), (404, "not_found"), (422, "invalid"), (418, "http_418")],
)
def test_no_with_githubs_own_words(status: int, reason: str) -> None:
    response = httpx.Response(status, json={"message": "Nope", "errors": ["line must be part of the diff"]})
    meaning = describe_failure("POST", "/x", response)
    assert isinstance(meaning, Refused)
    assert meaning.reason == reason
    assert "Nope ['line must be part of the diff']" in str(meaning)


@pytest.mark.parametrize("response", [httpx.Response(404, text="<html>"), httpx.Response(404, json=["odd"])])
def test_answers_that_are_no_json_object(response: httpx.Response) -> None:
    assert isinstance(describe_failure("GET", "/x", response), Refused)
