"""Webhooks: signed, in GitHub's form, logged, redelivered under the same GUID, and lost when told to."""

import hashlib
import hmac
import re
import time
from pathlib import Path

import yaml

from tests.contracts.github_description import check_webhook
from tests.integration.rehearsal.standin.world import REPO, SECRET, Receiver, World, numbered

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def play_everything(world: World) -> None:
    """Every act that sends a webhook."""
    hub = world.standin
    world.open()
    first = hub.comment(REPO, 1, author="ann", path="a.py", line=20, body="why?", commit_sha=world.head_sha)
    hub.comment(REPO, 1, author="bob", path="a.py", line=20, body="so", commit_sha=world.head_sha, in_reply_to=first)
    hub.resolve_thread(REPO, 1, first, by="ann")
    hub.unresolve_thread(REPO, 1, first, by="bob")
    remark = hub.remark(REPO, 1, author="ann", body="/understudy help")
    hub.edit_remark(REPO, 1, remark, "/understudy config")
    hub.label(REPO, 1, "understudy:approve", by="ann")
    hub.rename_label(REPO, "understudy:approve", "approved", by="ann")
    hub.unlabel(REPO, 1, "approved", by="ann")
    hub.push(REPO, 1, world.work.commit({"a.py": numbered({20: "twenty"})}, "Fix", "feature"))
    hub.approve(REPO, 1, author="wes", commit_sha=world.head_sha)
    hub.close(REPO, 1, by="ann")
    hub.reopen(REPO, 1, by="ann")
    hub.merge(REPO, 1, by="ann")
    world.open(head_ref="main", draft=True)
    hub.ready_for_review(REPO, 2)
    hub.set_installed(REPO, False, by="ann")
    hub.set_installed(REPO, True, by="ann")
    hub.suspend(by="ann")
    hub.unsuspend(by="ann")
    hub.uninstall(by="ann")


def test_every_webhook_is_one_that_github_sends(world: World, receiver: Receiver) -> None:
    play_everything(world)
    world.server.drain()
    for received in receiver.received:
        check_webhook(received.event, received.payload)
    assert set(receiver.kinds()) == {
        "push",
        "pull_request.opened",
        "pull_request.synchronize",
        "pull_request.labeled",
        "pull_request.unlabeled",
        "pull_request.closed",
        "pull_request.reopened",
        "pull_request.ready_for_review",
        "pull_request_review.submitted",
        "pull_request_review_comment.created",
        "pull_request_review_thread.resolved",
        "pull_request_review_thread.unresolved",
        "issue_comment.created",
        "issue_comment.edited",
        "label.created",
        "label.edited",
        "installation.suspend",
        "installation.unsuspend",
        "installation.deleted",
        "installation_repositories.added",
        "installation_repositories.removed",
    }


def test_the_reviews_of_the_app_are_announced_too(world: World, receiver: Receiver) -> None:
    world.open()
    comments = [{"path": "a.py", "line": line, "body": "b"} for line in (20, 21)]
    path = f"/repos/{REPO}/pulls/1/reviews"
    made = world.installation().post(path, json={"body": "b", "comments": comments}).json()
    world.server.drain()
    assert receiver.kinds() == ["pull_request.opened"]
    world.installation().post(f"{path}/{made['id']}/events", json={"event": "COMMENT"})
    world.server.drain()
    assert receiver.kinds()[1:] == ["pull_request_review.submitted", *["pull_request_review_comment.created"] * 2]
    assert {one.payload["sender"]["type"] for one in receiver.received[1:]} == {"Bot"}


def test_deliveries_are_signed_over_their_bytes(world: World, receiver: Receiver) -> None:
    world.open(title="Grüße ✓")
    world.server.drain()
    (received,) = receiver.received
    digest = hmac.new(SECRET.encode(), received.content, hashlib.sha256).hexdigest()
    assert received.headers["x-hub-signature-256"] == f"sha256={digest}"
    assert "x-hub-signature" not in received.headers
    assert GUID.fullmatch(received.guid)
    assert received.headers["x-github-hook-installation-target-type"] == "integration"
    assert received.headers["x-github-hook-installation-target-id"] == str(world.standin.app_id)
    assert received.payload["installation"]["id"] == world.standin.installation_id


def test_silence_is_this_threads_alone(world: World, receiver: Receiver) -> None:
    world.open(emit=False)
    with world.standin.silence():
        world.standin.label(REPO, 1, "x", by="ann")
        path = f"/repos/{REPO}/pulls/1/reviews"
        world.installation().post(path, json={"event": "COMMENT", "body": "by another thread"})
    world.server.drain()
    assert receiver.kinds() == ["pull_request_review.submitted"]


def test_only_subscribed_events_of_installed_repositories_are_sent(world: World, receiver: Receiver) -> None:
    world.standin.events.remove("pull_request")
    world.open()
    world.standin.events.append("pull_request")
    world.standin.set_installed(REPO, False, by="ann")
    world.open()
    world.server.drain()
    assert receiver.kinds() == ["installation_repositories.removed"]


def test_a_failed_delivery_is_listed_and_redelivered_under_its_guid(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    world.open()
    world.server.drain()
    app = world.app()
    (failed,) = app.get("/app/hook/deliveries", params={"status": "failure"}).json()
    assert (failed["status_code"], failed["event"], failed["redelivery"]) == (500, "pull_request", False)
    assert failed["guid"] == receiver.received[0].guid
    receiver.status = 202
    assert app.post(f"/app/hook/deliveries/{failed['id']}/attempts").status_code == 202
    world.server.drain()
    assert receiver.received[0].guid == receiver.received[1].guid
    assert receiver.received[0].content == receiver.received[1].content
    (again,) = app.get("/app/hook/deliveries", params={"status": "success"}).json()
    assert (again["guid"], again["redelivery"]) == (failed["guid"], True)
    assert app.post("/app/hook/deliveries/1/attempts").status_code == 404


def test_the_delivery_log_is_paged_by_cursor(world: World, receiver: Receiver) -> None:
    world.open()
    for name in "abcd":
        world.standin.label(REPO, 1, name, by="ann")
    world.server.drain()
    app, url, seen = world.app(), "/app/hook/deliveries?per_page=4", []
    while url:
        response = app.get(url)
        seen += [one["guid"] for one in response.json()]
        url = response.links.get("next", {}).get("url", "")
    assert seen == [one.guid for one in reversed(receiver.received)]
    assert len(seen) == 9
    assert app.get("/app/hook/deliveries?status=odd").status_code == 422


def test_dropped_deliveries_can_be_had_again(world: World, receiver: Receiver) -> None:
    world.standin.faults.drop = 1
    world.open()
    world.standin.label(REPO, 1, "x", by="ann")
    world.server.drain()
    assert receiver.kinds() == ["label.created", "pull_request.labeled"]
    (lost,) = world.app().get("/app/hook/deliveries?status=failure").json()
    world.app().post(f"/app/hook/deliveries/{lost['id']}/attempts")
    world.server.drain()
    assert receiver.kinds()[-1] == "pull_request.opened"


def test_duplicates_share_a_guid(world: World, receiver: Receiver) -> None:
    world.standin.faults.duplicate = 1
    world.open()
    world.server.drain()
    assert len(receiver.received) == 2
    assert len({one.guid for one in receiver.received}) == 1


def test_reordered_deliveries_come_last_first(world: World, receiver: Receiver) -> None:
    world.standin.faults.reorder = 3
    world.open()
    world.standin.label(REPO, 1, "x", by="ann")
    world.server.drain()
    assert receiver.kinds() == ["pull_request.labeled", "label.created", "pull_request.opened"]
    world.standin.faults.reorder = 5
    world.standin.merge(REPO, 1, by="ann")
    world.server.drain()
    assert receiver.kinds()[-1] == "pull_request.closed"


def test_deliveries_can_be_late(world: World, receiver: Receiver) -> None:
    world.standin.faults.delay_seconds = 0.3
    began = time.monotonic()
    world.open()
    world.server.drain()
    assert time.monotonic() - began >= 0.3
    assert receiver.kinds() == ["pull_request.opened"]


def test_what_happened_before_there_was_a_receiver_is_delivered_later(world: World, receiver: Receiver) -> None:
    world.server.deliver_to(None)
    world.open()
    world.server.deliver_to(receiver.url)
    world.server.drain()
    assert receiver.kinds() == ["pull_request.opened"]


def test_a_dead_receiver_is_a_logged_failure(world: World) -> None:
    world.server.deliver_to("http://127.0.0.1:9/webhooks")
    world.open()
    world.server.drain()
    (failed,) = world.app().get("/app/hook/deliveries").json()
    assert failed["status"] == "failed to connect to host"


def test_the_manifest_is_the_one_in_the_checkout(world: World) -> None:
    manifest = yaml.safe_load(Path("app.yml").read_text(encoding="utf-8"))
    assert world.app().get("/app").json()["permissions"] == manifest["default_permissions"]
    assert world.app().get("/app").json()["events"] == manifest["default_events"]
