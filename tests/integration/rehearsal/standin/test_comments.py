"""Comments on a pull request as a whole and answers on threads; every answer is held against GitHub's description."""

from pathlib import Path

import httpx

from tests.contracts.github_description import check_webhook
from tests.integration.rehearsal.standin.world import REPO, World, receiving, small_world

ISSUES = f"/repos/{REPO}/issues"


def a_comment(world: World) -> int:
    sha = world.head_sha
    return world.standin.comment(REPO, 1, author="ann", path="a.py", line=20, body="why?", commit_sha=sha)


def test_the_app_writes_finds_and_changes_its_own_comment(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        client = world.installation()
        world.standin.remark(REPO, 1, author="ann", body="hello")
        world.clock.advance(minutes=5)
        since = world.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        made = client.post(f"{ISSUES}/1/comments", json={"body": "first"}).json()
        changed = client.patch(f"{ISSUES}/comments/{made['id']}", json={"body": "second"}).json()
        shown = client.get(f"{ISSUES}/comments/{made['id']}").json()
        assert (changed["body"], shown["body"], shown["user"]["login"]) == ("second", "second", "understudy[bot]")
        assert [one["body"] for one in client.get(f"{ISSUES}/1/comments").json()] == ["hello", "second"]
        assert [one["body"] for one in client.get(f"{ISSUES}/1/comments", params={"since": since}).json()] == ["second"]


def test_what_github_refuses(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        client = world.installation()
        other = world.standin.remark(REPO, 1, author="ann", body="hello")
        reply = client.post(f"/repos/{REPO}/pulls/1/comments/{a_comment(world)}/replies", json={"body": "so"}).json()

        def status(answer: httpx.Response) -> int:
            return answer.status_code

        assert status(client.post(f"{ISSUES}/1/comments", json={"body": " "})) == 422
        assert status(client.post(f"{ISSUES}/1/comments", json={"body": "x" * 65_537})) == 422
        assert status(client.patch(f"{ISSUES}/comments/{other}", json={"body": "mine"})) == 403
        assert status(client.get(f"{ISSUES}/comments/9")) == 404
        assert status(client.get(f"{ISSUES}/1/comments", params={"since": "yesterday"})) == 422
        # an answer names the thread's first comment
        assert status(client.post(f"/repos/{REPO}/pulls/1/comments/{reply['id']}/replies", json={"body": "x"})) == 404
        narrow = world.installation(permissions={"pull_requests": "read"})
        assert status(narrow.post(f"{ISSUES}/1/comments", json={"body": "x"})) == 403


def test_edited_and_deleted_comments_are_announced_in_githubs_form(tmp_path: Path) -> None:
    with small_world(tmp_path) as world, receiving() as receiver:
        world.open()
        first = a_comment(world)
        world.server.deliver_to(receiver.url)
        world.standin.edit_comment(REPO, 1, first, "why not?", by="wes")
        world.standin.delete_comment(REPO, 1, first)
        world.server.drain()
        assert world.standin.find_pull(REPO, 1)[1].threads == []
    told = [one for one in receiver.received if one.payload["action"] in ("edited", "deleted")]
    assert [one.payload["action"] for one in told] == ["edited", "deleted"]
    for one in told:
        check_webhook(one.event, one.payload)
    assert told[0].payload["changes"] == {"body": {"from": "why?"}}
    assert told[0].payload["sender"]["login"] == "wes"


def test_who_reacted_to_a_comment_on_a_line_is_listed_by_kind(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.open()
        client, first = world.installation(), a_comment(world)
        path = f"/repos/{REPO}/pulls/comments/{first}/reactions"
        world.standin.react(REPO, 1, first, "-1", by="wes")
        world.standin.react(REPO, 1, first, "heart", times=2)
        assert client.post(path, json={"content": "eyes"}).status_code == 201
        shown = [(one["user"]["login"], one["content"]) for one in client.get(path).json()]
        assert shown == [
            ("wes", "-1"),
            ("passer-by-1", "heart"),
            ("passer-by-2", "heart"),
            ("understudy[bot]", "eyes"),
        ]
        assert [one["content"] for one in client.get(path, params={"content": "-1"}).json()] == ["-1"]
        assert client.get(f"/repos/{REPO}/pulls/comments/{first + 999}/reactions").status_code == 404


def test_the_app_changes_its_own_comment_on_a_line_and_no_other(tmp_path: Path) -> None:
    with small_world(tmp_path) as world, receiving() as receiver:
        world.open()
        client, theirs = world.installation(), a_comment(world)
        draft = {
            "event": "COMMENT",
            "body": "all",
            "comments": [{"path": "a.py", "line": 20, "side": "RIGHT", "body": "first"}],
        }
        review = client.post(f"/repos/{REPO}/pulls/1/reviews", json=draft).json()
        (own,) = client.get(f"/repos/{REPO}/pulls/1/reviews/{review['id']}/comments").json()
        world.server.deliver_to(receiver.url)
        path = f"/repos/{REPO}/pulls/comments"
        changed = client.patch(f"{path}/{own['id']}", json={"body": "second"})
        assert (changed.status_code, changed.json()["body"]) == (200, "second")
        assert [one["body"] for one in client.get(f"/repos/{REPO}/pulls/1/comments").json()] == ["why?", "second"]
        assert client.patch(f"{path}/{theirs}", json={"body": "mine"}).status_code == 403
        assert client.patch(f"{path}/{own['id'] + 999}", json={"body": "mine"}).status_code == 404
        assert client.patch(f"{path}/{own['id']}", json={"body": " "}).status_code == 422
        narrow = world.installation(permissions={"pull_requests": "read"})
        assert narrow.patch(f"{path}/{own['id']}", json={"body": "x"}).status_code == 403
        world.server.drain()
    (told,) = [one for one in receiver.received if one.payload["action"] == "edited"]
    check_webhook(told.event, told.payload)
    assert (told.payload["action"], told.payload["changes"]) == ("edited", {"body": {"from": "first"}})
    assert told.payload["sender"]["login"] == "understudy[bot]"
