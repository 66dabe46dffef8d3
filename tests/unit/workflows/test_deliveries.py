"""Which event starts what."""

from typing import Any

import pytest

from app.github.payloads import parse_payload
from app.workflows.deliveries import Ignore, Start, decide_beside, decide_start
from app.workflows.indexing import INDEX_PRIORITY
from app.workflows.runs import Queue
from app.workflows.upkeep import select_missed

_SHA = "a" * 40


def _payload(action: str, **changes: Any) -> dict[str, Any]:
    pull = {"number": 7, "head": {"sha": _SHA}, "draft": False, "merged": False} | changes.pop("pull_request", {})
    return {
        "action": action,
        "installation": {"id": 11},
        "repository": {"id": 5, "full_name": "o/r"},
        "sender": {"id": 1, "login": "ann", "type": "User"},
        "pull_request": pull,
    } | changes


def _decide(event: str, payload: dict[str, Any]) -> Start | Ignore:
    return decide_start(parse_payload(event, payload), guid="h:g", host="h", app_slug="understudy")


def _beside(event: str, payload: dict[str, Any]) -> tuple[Start, ...]:
    return decide_beside(parse_payload(event, payload), host="h", app_slug="understudy")


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
def test_a_new_head_is_reviewed_once(action: str) -> None:
    review_id = f"h:5:7:{_SHA}"
    assert _decide("pull_request", _payload(action)) == Start("review", f"review:{review_id}", (11, "o/r", review_id))


def test_a_draft_is_not_reviewed() -> None:
    assert _decide("pull_request", _payload("opened", pull_request={"draft": True})) == Ignore("draft")


def test_a_merge_is_harvested_once_per_head() -> None:
    decision = _decide("pull_request", _payload("closed", pull_request={"merged": True}))
    assert decision == Start("harvest", f"harvest:h:5:7:{_SHA}", (11, "o/r", 7))
    assert isinstance(_decide("pull_request", _payload("closed")), Ignore)


def _push(ref: str = "refs/heads/trunk", after: str = _SHA, branch: str | None = "trunk") -> Start | Ignore:
    repository = {"id": 5, "full_name": "o/r", "default_branch": branch}
    payload: dict[str, Any] = {"ref": ref, "after": after, "installation": {"id": 11}, "repository": repository}
    return _decide("push", payload)


def test_a_push_to_the_default_branch_is_indexed_once_per_commit() -> None:
    assert _push() == Start("index", f"index:h:5:{_SHA}", (11, 5), priority=INDEX_PRIORITY)


@pytest.mark.parametrize(
    "more",
    [
        {"ref": "refs/heads/other"},
        {"ref": "refs/tags/trunk"},
        {"ref": "trunk"},
        {"after": "0" * 40},
        {"after": "a" * 39},
        {"ref": "refs/heads/None", "branch": None},
    ],
)
def test_other_pushes_ask_for_nothing(more: dict[str, Any]) -> None:
    assert _push(**more) == Ignore("not the default branch")


@pytest.mark.parametrize("action", ["labeled", "unlabeled"])
def test_our_labels_are_commands_and_each_is_looked_at(action: str) -> None:
    ours = _payload(action, label={"name": "understudy:approve"})
    assert _decide("pull_request", ours) == Start("curate", "curate:h:g", (11, "o/r", 7))
    assert _decide("pull_request", _payload(action, label={"name": "bug"})) == Ignore("another label")
    assert _decide("pull_request", _payload(action)) == Ignore("another label")


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_words_changed_after_the_merge_are_harvested_again(action: str) -> None:
    merged = _payload(action, comment={"id": 3}, pull_request={"merged_at": "2026-01-01T00:00:00Z"})
    assert _decide("pull_request_review_comment", merged) == Start("harvest", "harvest:h:g", (11, "o/r", 7))
    before = _payload(action, comment={"id": 3})
    assert _decide("pull_request_review_comment", before) == Ignore("harvested at the merge")


def test_a_commented_commit_is_kept_once_while_it_can_still_vanish() -> None:
    comment = {"id": 3, "body": "Why?", "original_commit_id": _SHA}
    keep = Start("keep_commit", f"keep_commit:h:5:7:{_SHA}", (11, "o/r", 5, 7, _SHA))
    assert _decide("pull_request_review_comment", _payload("created", comment=comment)) == keep
    thread = {"comments": [comment]}
    for action in ("resolved", "unresolved"):
        assert _decide("pull_request_review_thread", _payload(action, thread=thread)) == keep
    odd = comment | {"original_commit_id": "--upload-pack=evil"}
    assert _decide("pull_request_review_comment", _payload("created", comment=odd)) == Ignore("no commit")


def test_commands_are_answered_at_once_and_late_words_are_harvested() -> None:
    curate = Start("curate", "curate:h:g", (11, "o/r", 7))
    said = {"id": 3, "body": "/understudy why", "in_reply_to_id": 2}
    for action in ("created", "edited"):
        assert _decide("pull_request_review_comment", _payload(action, comment=said)) == curate
    merged = {"merged_at": "2026-01-01T00:00:00Z"}
    for event, part in (("comment", {"comment": said}), ("thread", {"thread": {"comments": [said]}})):
        action = "created" if event == "comment" else "resolved"
        late = _decide(f"pull_request_review_{event}", _payload(action, pull_request=merged, **part))
        assert late == Start("harvest", "harvest:h:g", (11, "o/r", 7))


def test_our_own_acts_and_events_of_no_installation_do_nothing() -> None:
    own = {"id": 2, "login": "understudy[bot]", "type": "Bot"}
    assert _decide("pull_request", _payload("opened", sender=own)) == Ignore("own act")
    assert _decide("pull_request", _payload("opened", installation=None)) == Ignore("no installation")


def test_other_actions_are_ignored_by_name() -> None:
    assert _decide("pull_request", _payload("assigned")) == Ignore("assigned is not acted upon")
    assert _decide("label", _payload("created", label={"name": "x"})) == Ignore("created is not acted upon")


@pytest.mark.parametrize(
    ("action", "more", "lost"),
    [
        ("edited", {"label": {"name": "fine"}, "changes": {"name": {"from": "understudy:approve"}}}, True),
        ("deleted", {"label": {"name": "understudy:approve"}}, True),
        ("edited", {"label": {"name": "understudy:approve"}, "changes": {"color": {"from": "fff"}}}, False),
        ("edited", {"label": {"name": "understudy:approve"}, "changes": {"name": {"from": "fine"}}}, False),
        ("deleted", {"label": {"name": "fine"}}, False),
        ("created", {"label": {"name": "understudy:approve"}}, False),
    ],
)
def test_a_label_of_ours_that_is_renamed_or_deleted_is_looked_after(
    action: str, more: dict[str, Any], *, lost: bool
) -> None:
    start = Start("recheck_label", "recheck_label:h:g", (11, "o/r", "understudy:approve"))
    assert _decide("label", _payload(action, **more)) == (start if lost else Ignore(f"{action} is not acted upon"))


def test_missed_deliveries_are_asked_for_once_each_until_it_is_hopeless() -> None:
    failed = [{"id": 4, "guid": "b"}, {"id": 1, "guid": "a"}, {"id": 3, "guid": "a"}, {"id": 2, "guid": "known"}]
    failed += [{"id": 100 + number, "guid": "hopeless"} for number in range(10)]
    assert select_missed(failed, {"known"}) == [3, 4]


@pytest.mark.parametrize("draft", [False, True])
def test_every_new_head_is_looked_at_for_its_policy_file(draft: bool) -> None:
    head = f"h:5:7:{_SHA}"
    suffix = ":draft" if draft else ""
    assert _beside("pull_request", _payload("synchronize", pull_request={"draft": draft})) == (
        Start("look_at_head", f"look_at_head:{head}{suffix}", (11, "o/r", head, int(draft))),
    )
    assert _beside("pull_request", _payload("closed")) == ()


def _remark(body: str, action: str = "created", **more: Any) -> dict[str, Any]:
    comment = {"id": 3, "node_id": "IC_3", "body": body, "user": {"id": 1, "login": "ann", "type": "User"}}
    return _payload(action, issue={"number": 7, "pull_request": {}}, comment=comment | more)


def test_a_command_is_heard_at_once_and_once_for_each_thing_it_says() -> None:
    (first,) = _beside("issue_comment", _remark("/understudy pause"))
    assert (first.workflow, first.arguments, first.queue) == ("hear", (11, "IC_3"), Queue.INTAKE)
    assert _beside("issue_comment", _remark("/understudy pause\nmore words", "edited")) == (first,)
    assert _beside("issue_comment", _remark("/understudy resume", "edited")) != (first,)
    said = {"id": 4, "node_id": "PRRC_4", "body": "/understudy dismiss it", "user": {"id": 1, "type": "User"}}
    (reply,) = _beside("pull_request_review_comment", _payload("created", comment=said))
    assert reply.arguments == (11, "PRRC_4")


@pytest.mark.parametrize(
    "payload",
    [
        _remark("no command"),
        _remark("/understudy pause", "deleted"),
        _remark("/understudy pause", user={"id": 2, "login": "x[bot]", "type": "Bot"}),
        _remark("/understudy pause", user=None),
        _remark("/understudy pause", node_id=None),
        _remark("/understudy pause", node_id="../../etc"),
        _remark("/understudy pause") | {"issue": {"number": 7}},
        _remark("/understudy pause") | {"sender": {"id": 2, "login": "understudy[bot]", "type": "Bot"}},
        _remark("/understudy pause") | {"installation": None},
    ],
)
def test_what_is_no_command_on_a_pull_request_is_not_heard(payload: dict[str, Any]) -> None:
    assert _beside("issue_comment", payload) == ()
    assert isinstance(_decide("issue_comment", payload), Ignore)


def test_what_is_about_reviews_asks_nothing_of_curation() -> None:
    said = {"id": 3, "body": "/understudy pause", "in_reply_to_id": 2}
    assert _decide("pull_request_review_comment", _payload("edited", comment=said)) == Ignore("harvested at the merge")
