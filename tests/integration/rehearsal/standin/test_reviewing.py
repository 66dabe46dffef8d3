"""Reviews by the App: never laxer than GitHub."""

from typing import Any

import httpx
import pytest

from app.rehearsal.standin.limits import Limits
from tests.integration.rehearsal.standin.world import REPO, World, numbered

PULL = f"/repos/{REPO}/pulls/1"
REVIEWS = f"{PULL}/reviews"


def refusal(response: httpx.Response) -> list[str]:
    assert response.status_code == 422, response.text
    errors: list[str] = response.json()["errors"]
    return errors


def comment(line: int = 20, **more: Any) -> dict[str, Any]:
    return {"path": "a.py", "line": line, "side": "RIGHT", "body": "Twenty?"} | more


def test_a_review_is_pending_then_published(world: World) -> None:
    world.open()
    client = world.installation()
    made = client.post(REVIEWS, json={"commit_id": world.head_sha, "body": "One thing", "comments": [comment()]}).json()
    assert made["state"] == "PENDING"
    assert "submitted_at" not in made
    assert client.get(f"{PULL}/comments").json() == []
    path = f"{REVIEWS}/{made['id']}"
    assert [one["body"] for one in client.get(f"{path}/comments").json()] == ["Twenty?"]
    done = client.post(f"{path}/events", json={"event": "COMMENT", "body": "One thing only"}).json()
    assert (done["state"], done["body"], done["user"]["login"]) == ("COMMENTED", "One thing only", "understudy[bot]")
    shown = client.get(f"{PULL}/comments").json()
    assert [(one["line"], one["side"], one["original_commit_id"]) for one in shown] == [(20, "RIGHT", world.head_sha)]
    assert client.get(path).json()["state"] == "COMMENTED"
    kept = world.standin.reviews(REPO, 1, author="understudy[bot]")
    assert [one["comments"][0]["path"] for one in kept] == ["a.py"]


def test_a_hunk_ends_at_the_commented_line(world: World) -> None:
    world.open()
    client = world.installation()
    client.post(REVIEWS, json={"event": "COMMENT", "body": "b", "comments": [comment(20), comment(19, side="LEFT")]})
    right, left = client.get(f"{PULL}/comments").json()
    assert right["diff_hunk"].splitlines()[0].startswith("@@ -17,8 +17,8 @@")
    assert right["diff_hunk"].splitlines()[-1] == "+changed 20"
    assert right["position"] == 6
    assert left["diff_hunk"].splitlines()[-1] == " line 19"
    assert left["side"] == "LEFT"


def test_only_lines_of_the_diff_take_comments(world: World) -> None:
    world.open()
    world.standin.limits = Limits(contents_per_minute=None)
    client = world.installation()
    right = [line for line in range(42) if _takes(client, comment(line))]
    left = [line for line in range(42) if _takes(client, comment(line, side="LEFT"))]
    assert right == left == list(range(17, 25))


def _takes(client: httpx.Client, given: dict[str, Any]) -> bool:
    response = client.post(REVIEWS, json={"comments": [given]})
    if response.status_code != 200:
        assert refusal(response) == ["Line could not be resolved"]
        return False
    assert client.delete(f"{REVIEWS}/{response.json()['id']}").status_code == 200
    return True


def test_one_bad_line_refuses_the_whole_review(world: World) -> None:
    world.open()
    client = world.installation()
    assert refusal(client.post(REVIEWS, json={"comments": [comment(20), comment(3)]})) == ["Line could not be resolved"]
    assert client.get(REVIEWS).json() == []
    assert world.standin.reviews(REPO, 1) == []
    assert refusal(client.post(REVIEWS, json={"comments": [comment(path="z.py")]})) == ["Path could not be resolved"]


@pytest.mark.parametrize(
    ("start", "line", "told"),
    [
        (21, 20, "Start line must precede the end line."),
        (3, 20, "Start line could not be resolved"),
        (2, 21, "Start line could not be resolved"),
    ],
)
def test_a_range_must_lie_in_one_hunk(world: World, start: int, line: int, told: str) -> None:
    world.open()
    assert refusal(world.installation().post(REVIEWS, json={"comments": [comment(line, start_line=start)]})) == [told]


def test_a_range_is_remembered(world: World) -> None:
    world.open()
    client = world.installation()
    client.post(REVIEWS, json={"event": "COMMENT", "body": "b", "comments": [comment(21, start_line=20)]})
    shown = client.get(f"{PULL}/comments").json()[0]
    assert (shown["start_line"], shown["line"], shown["start_side"]) == (20, 21, "RIGHT")


def test_two_hunks_do_not_make_one_range(world: World) -> None:
    world.work.commit({"a.py": numbered({5: "five", 35: "thirty-five"})}, "Apart", "apart", start="main")
    world.open(head_ref="apart")
    response = world.installation().post(REVIEWS, json={"comments": [comment(35, start_line=5)]})
    assert refusal(response) == ["Start line must be part of the same hunk as the line."]


def test_a_user_has_one_pending_review(world: World) -> None:
    world.open()
    client = world.installation()
    first = client.post(REVIEWS, json={"body": "mine"}).json()
    assert refusal(client.post(REVIEWS, json={})) == ["User can only have one pending review per pull request"]
    assert refusal(client.post(REVIEWS, json={"event": "COMMENT", "body": "x"}))
    assert client.delete(f"{REVIEWS}/{first['id']}").json()["state"] == "PENDING"
    assert client.get(f"{REVIEWS}/{first['id']}").status_code == 404
    assert client.post(REVIEWS, json={}).status_code == 200


def test_a_published_review_stays(world: World) -> None:
    world.open()
    client = world.installation()
    made = client.post(REVIEWS, json={"event": "COMMENT", "body": "b"}).json()
    path = f"{REVIEWS}/{made['id']}"
    assert refusal(client.delete(path)) == ["Can not delete a non-pending pull request review"]
    assert refusal(client.post(f"{path}/events", json={"event": "COMMENT", "body": "again"}))


def test_empty_and_overlong_bodies_are_refused(world: World) -> None:
    world.open()
    client = world.installation()
    long = "x" * 65_537
    told = ["Body is too long (maximum is 65536 characters)"]
    assert refusal(client.post(REVIEWS, json={"body": long})) == told
    assert refusal(client.post(REVIEWS, json={"comments": [comment(body=long)]})) == told
    assert refusal(client.post(REVIEWS, json={"event": "COMMENT"})) == ["Review body can't be blank"]
    assert refusal(client.post(REVIEWS, json={"comments": [comment(body=" ")]})) == ["Body can't be blank"]
    pending = client.post(REVIEWS, json={}).json()
    assert refusal(client.post(f"{REVIEWS}/{pending['id']}/events", json={"event": "COMMENT"}))
    assert client.post(f"{REVIEWS}/{pending['id']}/events", json={"event": "COMMENT", "body": long}).status_code == 422


def test_unknown_and_stale_commits_are_refused(world: World) -> None:
    world.open()
    client = world.installation()
    assert refusal(client.post(REVIEWS, json={"commit_id": "0" * 40, "body": "b"}))
    newer = world.work.commit({"c.py": "c\n"}, "More", "feature")
    world.standin.push(REPO, 1, newer)
    assert refusal(client.post(REVIEWS, json={"commit_id": world.head_sha, "comments": [comment()]}))
    forced = world.work.commit({"d.py": "d\n"}, "Anew", "feature", start="main")
    world.standin.push(REPO, 1, forced, force=True)
    assert refusal(client.post(REVIEWS, json={"commit_id": world.head_sha, "body": "b"}))


@pytest.mark.parametrize(
    "body", ['{"event": "MERGE", "body": "b"}', '{"comments": [{"path": "a.py"}]}', '{"comments": 3}', "[]"]
)
def test_other_shapes_are_refused(world: World, body: str) -> None:
    world.open()
    assert world.installation().post(REVIEWS, content=body).status_code == 422
    assert world.installation().post(REVIEWS, content="{").status_code == 400


def test_nobody_approves_their_own_pull_request(world: World) -> None:
    world.open(author="understudy[bot]")
    client = world.installation()
    assert refusal(client.post(REVIEWS, json={"event": "APPROVE"})) == ["Can not approve your own pull request"]
    assert client.post(REVIEWS, json={"event": "COMMENT", "body": "b"}).status_code == 200


def test_a_comment_follows_its_line_until_that_changes(world: World) -> None:
    world.open()
    client = world.installation()
    client.post(REVIEWS, json={"event": "COMMENT", "body": "b", "comments": [comment(20), comment(21)]})
    moved = numbered({20: "changed 20", 21: "changed again"})
    newer = world.work.commit({"a.py": f"zero\n{moved}"}, "Push down", "feature")
    world.standin.push(REPO, 1, newer)
    first, second = client.get(f"{PULL}/comments").json()
    assert (first["line"], first["original_line"], first["commit_id"]) == (21, 20, newer)
    assert (second["line"], second["position"], second["commit_id"]) == (None, None, world.head_sha)
    assert second["original_line"] == 21


def test_too_much_content_in_a_minute_is_refused(world: World) -> None:
    world.open()
    world.standin.limits = Limits(contents_per_minute=2)
    client = world.installation()
    for _ in range(2):
        client.post(REVIEWS, json={"event": "COMMENT", "body": "b"})
    refused = client.post(REVIEWS, json={"event": "COMMENT", "body": "b"})
    assert refused.status_code == 403
    assert "secondary rate limit" in refused.json()["message"]
    world.clock.advance(minutes=1)
    assert client.post(REVIEWS, json={"event": "COMMENT", "body": "b"}).status_code == 200


def test_check_runs_are_made_changed_and_found(world: World) -> None:
    world.open()
    client = world.installation()
    output = {"title": "Looked", "summary": "at 2 files"}
    begun = {"name": "Understudy", "head_sha": world.head_sha, "external_id": "review:1", "status": "in_progress"}
    made = client.post(f"/repos/{REPO}/check-runs", json=begun | {"output": output})
    assert made.status_code == 201
    run = made.json()
    assert (run["status"], run["conclusion"], run["pull_requests"][0]["number"]) == ("in_progress", None, 1)
    path = f"/repos/{REPO}/check-runs/{run['id']}"
    assert client.patch(path, json={"status": "completed"}).status_code == 422
    done = client.patch(path, json={"conclusion": "neutral"}).json()
    assert (done["status"], done["conclusion"], done["output"]["summary"]) == ("completed", "neutral", "at 2 files")
    assert client.get(path).json()["external_id"] == "review:1"
    listed = f"/repos/{REPO}/commits/{world.head_sha}/check-runs"
    assert client.get(listed, params={"check_name": "Understudy"}).json()["total_count"] == 1
    assert client.get(listed, params={"app_id": world.standin.app_id}).json()["total_count"] == 1
    assert client.get(listed, params={"check_name": "Other"}).json()["total_count"] == 0
    assert [one["id"] for one in world.standin.check_runs(REPO, world.head_sha)] == [run["id"]]
    assert client.post(f"/repos/{REPO}/check-runs", json=begun | {"head_sha": "0" * 40}).status_code == 422
    assert client.post(f"/repos/{REPO}/check-runs", json={"name": "x"}).status_code == 422
    long = {"title": "t", "summary": "x" * 65_536}
    assert client.post(f"/repos/{REPO}/check-runs", json=begun | {"output": long}).status_code == 422


def test_requests_are_counted_for_their_pull_request(world: World) -> None:
    world.open()
    client = world.installation()
    client.get(f"{PULL}/files")
    client.post(f"/repos/{REPO}/check-runs", json={"name": "x", "head_sha": world.head_sha})
    client.get(f"/repos/{REPO}/pulls/9")
    told = [(one.method, one.route, one.status, one.pull_request) for one in world.standin.requests[-3:]]
    template = "/repos/{owner}/{repo}"
    assert told == [
        ("GET", f"{template}/pulls/{{pull_number}}/files", 200, 1),
        ("POST", f"{template}/check-runs", 201, 1),
        ("GET", f"{template}/pulls/{{pull_number}}", 404, 9),
    ]
