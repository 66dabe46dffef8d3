"""Reading a pull request: every route, paged, conditional, and what git says."""

import pytest

from tests.integration.rehearsal.standin.world import REPO, World, numbered

PULL = f"/repos/{REPO}/pulls/1"


def test_every_read_route_answers_as_described(world: World) -> None:
    world.open()
    world.standin.label(REPO, 1, "understudy:approve", by="ann")
    world.standin.comment(REPO, 1, author="ann", path="a.py", line=20, body="why?", commit_sha=world.head_sha)
    world.standin.approve(REPO, 1, author="wes", commit_sha=world.head_sha, body="good")
    client, app = world.installation(), world.app()
    for path in (
        "/app",
        "/app/installations",
        f"/app/installations/{world.standin.installation_id}",
        "/app/hook/deliveries",
    ):
        assert app.get(path).status_code == 200
    for path in (
        "/installation/repositories",
        "/rate_limit",
        f"/repos/{REPO}",
        f"/repos/{REPO}/pulls",
        PULL,
        f"{PULL}/files",
        f"{PULL}/commits",
        f"{PULL}/comments",
        f"{PULL}/reviews",
        f"/repos/{REPO}/issues/1/labels",
        f"/repos/{REPO}/issues/1/timeline",
        f"/repos/{REPO}/compare/main...feature",
        f"/repos/{REPO}/commits/{world.head_sha}/check-runs",
    ):
        response = client.get(path)
        assert response.status_code == 200, path
        assert response.json(), path


def test_a_pull_request_tells_what_git_tells(world: World) -> None:
    world.open(body="because", created_at=world.clock())
    shown = world.installation().get(PULL).json()
    assert shown["head"]["sha"] == world.head_sha
    assert shown["base"]["sha"] == world.base_sha
    assert (shown["additions"], shown["deletions"], shown["changed_files"], shown["commits"]) == (4, 2, 2, 1)
    assert shown["user"]["login"] == "bob"
    assert shown["merged"] is False


def test_files_carry_status_and_patch(world: World) -> None:
    files = {"a.py": None, "moved.py": numbered({40: "line forty"}), "c.bin": "a\0b", "crlf.txt": "one\r\ntwo\r\n"}
    world.work.commit(files, "Move", "mixed", start="main")
    world.open(head_ref="mixed")
    shown = {one["filename"]: one for one in world.installation().get(f"{PULL}/files").json()}
    assert shown["moved.py"]["status"] == "renamed"
    assert shown["moved.py"]["previous_filename"] == "a.py"
    assert shown["moved.py"]["patch"].endswith("-line 40\n+line forty")
    assert "patch" not in shown["c.bin"]
    assert shown["crlf.txt"]["patch"] == "@@ -0,0 +1,2 @@\n+one\r\n+two\r"


def test_a_type_change_does_not_shift_other_patches(world: World) -> None:
    world.work.git("checkout", "-q", "-B", "types", "main")
    world.work.git("update-index", "--add", "--cacheinfo", f"120000,{world.work.git('hash-object', '-w', 'a.py')},a.py")
    world.work.git("commit", "-q", "-m", "Link")
    world.work.git("checkout", "-q", "-f", "types")
    world.work.commit({"z.py": "zed\n"}, "Zed", "types")
    world.open(head_ref="types")
    shown = {one["filename"]: one for one in world.installation().get(f"{PULL}/files").json()}
    assert shown["a.py"]["status"] == "changed"
    assert shown["z.py"]["patch"] == "@@ -0,0 +1 @@\n+zed"


def test_lists_are_paged_with_links(world: World) -> None:
    world.open()
    with world.standin.silence():
        ids = [
            world.standin.comment(REPO, 1, author="ann", path="b.py", line=1, body=str(n), commit_sha=world.head_sha)
            for n in range(130)
        ]
    client, url, seen, sizes = world.installation(), f"{PULL}/comments?per_page=500", [], []
    while url:
        response = client.get(url)
        seen += [one["id"] for one in response.json()]
        sizes.append(len(response.json()))
        url = response.links.get("next", {}).get("url", "")
    assert seen == ids
    assert sizes == [100, 30]
    assert len(client.get(f"{PULL}/comments").json()) == 30
    assert client.get(f"{PULL}/comments?page=9").json() == []
    assert client.get(f"{PULL}/comments?page=2").links.keys() == {"prev", "next", "last", "first"}


def test_an_unchanged_answer_is_304_and_free(world: World) -> None:
    world.open()
    client = world.installation()
    first = client.get(PULL)
    again = client.get(PULL, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]
    other = world.installation().get(PULL, headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    world.standin.label(REPO, 1, "x", by="ann")
    assert client.get(PULL, headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("ann", "admin", "admin"),
        ("mia", "write", "maintain"),
        ("wes", "write", "write"),
        ("tom", "read", "triage"),
        ("rea", "read", "read"),
        ("bob", "read", "read"),
    ],
)
def test_permissions_are_those_of_this_moment(world: World, login: str, permission: str, role: str) -> None:
    world.open()
    path = f"/repos/{REPO}/collaborators/{login}/permission"
    shown = world.installation().get(path).json()
    assert (shown["permission"], shown["role_name"]) == (permission, role)
    world.standin.add_collaborator(REPO, login, None)
    assert world.installation().get(path).json()["permission"] == "read"


def test_a_stranger_to_a_private_repository_has_no_permission(world: World) -> None:
    world.standin.add_repository("acme/secret", private=True)
    world.standin.add_user("eve")
    client = world.installation()
    assert client.get("/repos/acme/secret/collaborators/eve/permission").json()["permission"] == "none"
    assert client.get("/repos/acme/secret/collaborators/nobody/permission").status_code == 404


def test_the_timeline_names_who_labelled_and_who_forced(world: World) -> None:
    world.open()
    world.standin.label(REPO, 1, "understudy:approve", by="ann")
    world.standin.unlabel(REPO, 1, "understudy:approve", by="wes")
    forced = world.work.commit({"a.py": numbered({5: "five"})}, "Anew", "feature", start="main")
    world.standin.push(REPO, 1, forced, force=True)
    events = world.installation().get(f"/repos/{REPO}/issues/1/timeline").json()
    told = [(one["event"], one["actor"]["login"]) for one in events if "actor" in one]
    assert told == [("labeled", "ann"), ("unlabeled", "wes"), ("head_ref_force_pushed", "bob")]
    assert events[0]["event"] == "committed"
    assert world.installation().get(f"/repos/{REPO}/issues/1/labels").json() == []


def test_comparing_tells_ahead_behind_and_diverged(world: World) -> None:
    client = world.installation()
    ahead = client.get(f"/repos/{REPO}/compare/{world.base_sha}...{world.head_sha}").json()
    assert (ahead["status"], ahead["ahead_by"], [one["filename"] for one in ahead["files"]]) == (
        "ahead",
        1,
        ["a.py", "b.py"],
    )
    assert client.get(f"/repos/{REPO}/compare/feature...main").json()["status"] == "behind"
    assert client.get(f"/repos/{REPO}/compare/main...main").json()["status"] == "identical"
    world.work.commit({"c.py": "c\n"}, "Aside", "side", start="main")
    assert client.get(f"/repos/{REPO}/compare/feature...side").json()["status"] == "diverged"
    assert client.get(f"/repos/{REPO}/compare/main...{'0' * 40}").status_code == 404


def test_pull_requests_are_listed_by_state_and_order(world: World) -> None:
    world.open()
    world.clock.advance(minutes=1)
    world.open(title="Second")
    world.clock.advance(minutes=1)
    world.standin.merge(REPO, 1, by="ann")
    client = world.installation()
    assert [one["number"] for one in client.get(f"/repos/{REPO}/pulls").json()] == [2]
    assert [one["number"] for one in client.get(f"/repos/{REPO}/pulls?state=all").json()] == [2, 1]
    updated = client.get(f"/repos/{REPO}/pulls?state=all&sort=updated&direction=desc").json()
    assert [one["number"] for one in updated] == [1, 2]
    assert client.get(f"/repos/{REPO}/pulls?state=all&head=acme:other").json() == []


def test_merging_moves_the_branch(world: World) -> None:
    world.open()
    world.standin.merge(REPO, 1, by="ann")
    shown = world.installation().get(PULL).json()
    assert shown["merged"]
    assert shown["merged_by"]["login"] == "ann"
    world.work.git("fetch", "-q", str(world.standin.bare_path(REPO)), "main")
    assert world.work.git("rev-parse", "FETCH_HEAD") == shown["merge_commit_sha"]
    assert world.work.git("show", "FETCH_HEAD:b.py") == "first\nsecond"


def test_what_is_not_there_is_404(world: World) -> None:
    client = world.installation()
    for path in (PULL, f"/repos/{REPO}/pulls/x", "/repos/acme/none", f"/repos/{REPO}/issues/9/labels"):
        assert client.get(path).status_code == 404
