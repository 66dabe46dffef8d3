"""The stand-in's GraphQL: a true part of GitHub's published schema, and answers with just the fields asked for."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)

from app.github import queries
from app.rehearsal.standin.graph import SCHEMA
from tests.integration.rehearsal.standin.world import REPO, World, numbered, small_world
from tests.npm_packages import npm_package

OPERATIONS = {
    name: text
    for name, text in vars(queries).items()
    if name.isupper() and not name.startswith("_") and isinstance(text, str)  # a fragment is no operation
}


@cache
def published() -> GraphQLSchema:
    path = npm_package("@octokit/graphql-schema", "15.26.1") / "schema.graphql"
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


def test_the_schema_is_a_part_of_githubs() -> None:
    problems = []
    for name, ours in SCHEMA.type_map.items():
        theirs = published().type_map.get(name)
        if theirs is None or type(theirs) is not type(ours):
            problems.append(f"{name} is not GitHub's")
        elif isinstance(ours, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            problems += list(_differences(name, ours, theirs))
        elif isinstance(ours, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
            problems += [f"{name}.{value}" for value in ours.values if value not in theirs.values]
    assert problems == []


def _differences(name: str, ours: Any, theirs: Any) -> list[str]:
    found = []
    for field, kind in ours.fields.items():
        other = theirs.fields.get(field)
        if other is None or str(other.type) != str(kind.type):
            found.append(f"{name}.{field}: {kind.type} here, {other and other.type} at GitHub")
            continue
        arguments, known = getattr(kind, "args", {}), getattr(other, "args", {})
        found += [f"{name}.{field}({arg})" for arg in arguments if str(arguments[arg].type) != str(known[arg].type)]
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_the_app_is_valid_at_github_and_here(name: str) -> None:
    document = parse(OPERATIONS[name])
    assert validate(published(), document) == []
    assert validate(SCHEMA, document) == []


def harvest(world: World, **more: Any) -> dict[str, Any]:
    owner, name = REPO.split("/")
    return world.graphql(queries.HARVEST_PULL_REQUEST, owner=owner, name=name, number=1, **more)


def test_threads_tell_what_people_and_the_app_wrote(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        hub = world.standin
        first = hub.comment(REPO, 1, author="ann", path="a.py", line=20, body="why?", commit_sha=world.head_sha)
        hub.comment(
            REPO, 1, author="bob", path="a.py", line=20, body="so", commit_sha=world.head_sha, in_reply_to=first
        )
        hub.comment(REPO, 1, author="wes", path="a.py", line=19, side="LEFT", body="l", commit_sha=world.head_sha)
        hub.react(REPO, 1, first, "+1", times=2)
        hub.minimize(REPO, 1, first)
        hub.resolve_thread(REPO, 1, first, by="ann")
        comments = [{"path": "a.py", "line": 21, "start_line": 20, "body": "both"}]
        client = world.installation()
        client.post(f"/repos/{REPO}/pulls/1/reviews", json={"event": "COMMENT", "body": "b", "comments": comments})
        client.post(f"/repos/{REPO}/pulls/1/reviews", json={"comments": comments})
        world.standin.merge(REPO, 1, by="ann")
        pull = harvest(world)["data"]["repository"]["pullRequest"]
    one, left, ours = pull["reviewThreads"]["nodes"]
    assert pull["merged"]
    assert (one["isResolved"], one["isOutdated"], one["line"], one["diffSide"]) == (True, False, 20, "RIGHT")
    assert [node["author"]["login"] for node in one["comments"]["nodes"]] == ["ann", "bob"]
    assert one["comments"]["nodes"][1]["replyTo"] == {"databaseId": first}
    likes = {
        group["content"]: group["reactors"]["totalCount"] for group in one["comments"]["nodes"][0]["reactionGroups"]
    }
    assert likes["THUMBS_UP"] == 2
    assert [node["isMinimized"] for node in one["comments"]["nodes"]] == [True, False]
    assert (left["diffSide"], left["line"]) == ("LEFT", 19)
    assert (ours["line"], ours["startLine"]) == (21, 20)
    assert ours["comments"]["nodes"][0]["author"] == {"login": "understudy", "__typename": "Bot"}


def test_a_file_of_the_default_branch_is_shown_to_who_may_read_contents(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        policy = "curation: evidence\n"
        world.work.commit({".github/understudy.yml": policy}, "Say how", "main", start="main")
        world.open()
        shown = harvest(world)["data"]["repository"]["policy"]
        assert shown == {"text": policy, "byteSize": len(policy)}
        narrow = world.token(permissions={"pull_requests": "read"})
        owner, name = REPO.split("/")
        refused = world.graphql(queries.REPOSITORY_POLICY, narrow, owner=owner, name=name)
        assert [error["type"] for error in refused["errors"]] == ["FORBIDDEN"]


def test_an_edited_comment_says_when_and_by_whom(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        first = _say(world, "why?")
        before = harvest(world)["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"][0]["comments"]["nodes"]
        world.clock.advance(seconds=5)
        world.standin.edit_comment(REPO, 1, first, "why not?", by="wes")
        after = harvest(world)["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"][0]["comments"]["nodes"]
        assert (before[0]["lastEditedAt"], before[0]["editor"]) == (None, None)
        assert after[0]["lastEditedAt"] > after[0]["createdAt"]
        assert (after[0]["author"]["login"], after[0]["editor"]["login"]) == ("ann", "wes")


def test_outdated_threads_keep_their_first_place(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        world.standin.comment(REPO, 1, author="ann", path="a.py", line=20, body="why?", commit_sha=world.head_sha)
        fixed = world.work.commit({"a.py": numbered({20: "better", 21: "changed 21"})}, "Fix", "feature")
        world.standin.push(REPO, 1, fixed)
        (thread,) = harvest(world)["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]
    assert (thread["isOutdated"], thread["line"], thread["originalLine"]) == (True, None, 20)
    (comment,) = thread["comments"]["nodes"]
    assert comment["originalCommit"]["oid"] == comment["commit"]["oid"] == world.head_sha


def test_threads_and_their_comments_are_paged(tmp_path: Path) -> None:
    with small_world(tmp_path) as world, world.standin.silence():
        world.open()
        written = [_say(world, str(n)) for n in range(60)]
        written += [_say(world, f"reply {n}", in_reply_to=written[0]) for n in range(70)]
        seen, cursor, more = [], None, True
        while more:
            threads = harvest(world, cursor=cursor)["data"]["repository"]["pullRequest"]["reviewThreads"]
            cursor, more = threads["pageInfo"]["endCursor"], threads["pageInfo"]["hasNextPage"]
            for thread in threads["nodes"]:
                seen += _all_comments(world, thread)
    assert sorted(seen) == sorted(written)


def _say(world: World, body: str, **more: Any) -> int:
    sha = world.head_sha
    return world.standin.comment(REPO, 1, author="ann", path="a.py", line=20, body=body, commit_sha=sha, **more)


def _all_comments(world: World, thread: dict[str, Any]) -> list[int]:
    page = thread["comments"]
    found = [node["databaseId"] for node in page["nodes"]]
    while page["pageInfo"]["hasNextPage"]:
        cursor = page["pageInfo"]["endCursor"]
        page = world.graphql(queries.THREAD_COMMENTS, thread=thread["id"], cursor=cursor)["data"]["node"]["comments"]
        found += [node["databaseId"] for node in page["nodes"]]
    return found


def test_errors_are_in_githubs_form(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        missing = harvest(world)
        assert missing["errors"][0]["type"] == "NOT_FOUND"
        shown = {"databaseId": 1_000_002, "nameWithOwner": REPO, "policy": None, "pullRequest": None}
        assert missing["data"] == {"repository": shown}
        world.open()
        narrow = world.token(permissions={"contents": "read"})
        query = 'query($n: Int!) { repository(owner: "acme", name: "store") { pullRequest(number: $n) { title } } }'
        assert world.graphql(query, narrow, n=1)["errors"][0]["type"] == "FORBIDDEN"
        assert "errors" in world.graphql('{ repository(owner: "acme", name: "store") { nothing } }')
        assert "errors" in world.graphql("{ nonsense")
        unlimited = '{ repository(owner: "acme", name: "store") { pullRequest(number: 1) { labels { totalCount } } } }'
        assert "`first` or `last`" in world.graphql(unlimited)["errors"][0]["message"]
        assert world.graphql("{ rateLimit { cost remaining } }")["data"]["rateLimit"]["cost"] == 1
        assert world.graphql('{ node(id: "PRRT_1") { id } }')["errors"][0]["type"] == "NOT_FOUND"
