"""What a rehearsal on a live repository may send. Nobody listens at the address: what is refused here never left."""

import inspect
import json
from typing import Any

import pytest

from app.domain.errors import Refused, RetryLater
from app.github import queries
from app.github.reading import READS, AppAccess, ReadingClient, TokenAccess, is_reading
from app.github.transport import Transport

NOWHERE = "http://127.0.0.1:9"
TOKENS = "/app/installations/7/access_tokens"
QUERIES = {name: text for name, text in inspect.getmembers(queries) if isinstance(text, str) and "query " in text}


def graphql(document: object) -> bytes:
    return json.dumps({"query": document, "variables": {}}).encode()


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_ours_is_reading(name: str) -> None:
    assert is_reading("POST", "/graphql", graphql(QUERIES[name]))
    assert is_reading("POST", "/api/graphql", graphql(QUERIES[name]))


@pytest.mark.parametrize(
    "document",
    [
        'mutation { addComment(input: {subjectId: "x", body: "y"}) { clientMutationId } }',
        'query A { viewer { login } } mutation B { addComment(input: {body: "y"}) { clientMutationId } }',
        "subscription { x }",
        "# query\nmutation { x }",
        "fragment F on User { login }",
        "query {",
        "",
        None,
        ["query { viewer { login } }"],
    ],
)
def test_a_document_with_anything_but_queries_is_not(document: object) -> None:
    assert not is_reading("POST", "/graphql", graphql(document))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/repos/o/r/pulls/1/reviews", {"body": "x"}),
        ("POST", "/repos/o/r/pulls/1/reviews", {"query": "query { viewer { login } }"}),
        ("POST", "/repos/o/r/issues/1/comments", {"permissions": READS}),
        ("PATCH", "/repos/o/r/pulls/comments/1", {"body": "x"}),
        ("PUT", "/repos/o/r/pulls/1/merge", {}),
        ("DELETE", "/repos/o/r/pulls/1/reviews/1", {}),
        ("POST", TOKENS, {}),
        ("POST", TOKENS, {"permissions": {}}),
        ("POST", TOKENS, {"permissions": {"contents": "read", "pull_requests": "write"}}),
        ("POST", f"{TOKENS}/more", {"permissions": READS}),
        ("POST", "/graphql", [{"query": "query { viewer { login } }"}]),
        ("OPTIONS", "/", {}),
    ],
)
def test_what_could_write_is_refused_before_it_leaves(method: str, path: str, body: Any) -> None:
    assert not is_reading(method, path, json.dumps(body).encode())


def test_reading_is_let_through() -> None:
    assert is_reading("GET", "/repos/o/r/pulls", b"")
    assert is_reading("POST", TOKENS, json.dumps({"permissions": READS}).encode())
    assert is_reading("POST", f"/api/v3{TOKENS}", json.dumps({"permissions": READS}).encode())
    assert not is_reading("POST", "/graphql", b"\xff not json")


def transports() -> list[Transport]:
    token = TokenAccess(api_url=NOWHERE, token="t")
    app = AppAccess(api_url=NOWHERE, app_id=1, private_key_pem="", repository="o/r")
    return [token.app, token.api, app.api]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_every_transport_of_every_access_has_the_fence(method: str) -> None:
    for transport in transports():
        with pytest.raises(Refused) as refused:
            await transport.request(method, "/repos/o/r/pulls/comments/1", json={"body": "x"})
        assert refused.value.reason == "read_only"
        with pytest.raises(RetryLater):  # it left, and found nobody
            await transport.request("GET", "/repos/o/r")


async def test_the_clients_writing_half_is_closed() -> None:
    client = ReadingClient(git_url=NOWHERE, access=TokenAccess(api_url=NOWHERE, token="t"))
    for act in (
        client.create_pending_review("o/r", 1, "a" * 40, "body", []),
        client.submit_review("o/r", 1, 1, "body"),
        client.delete_pending_review("o/r", 1, 1),
        client.create_issue_comment("o/r", 1, "body"),
        client.update_issue_comment("o/r", 1, "body"),
        client.update_review_comment("o/r", 1, "body"),
        client.reply_to_review_comment("o/r", 1, 1, "body"),
        client.redeliver(1),
    ):
        with pytest.raises(Refused) as refused:
            await act
        assert refused.value.reason == "read_only"
