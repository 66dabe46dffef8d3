"""The client against the stand-in GitHub over HTTP: paging, tokens, permissions, posting, check runs."""

from typing import Any

import pytest

from app.domain.errors import Refused, RetryLater
from app.review.messages import CHECK_NAME
from tests.integration.team import REPO, SERVICE, Team

CHANGED = SERVICE + "\n\ndef last():\n    return 1\n"
LINE = CHANGED.count("\n")


def an_open_pull(team: Team) -> tuple[int, str]:
    return team.open({"service.py": CHANGED})


async def test_long_threads_and_many_threads_are_read_to_the_end(team: Team) -> None:
    number, sha = an_open_pull(team)
    roots = [team.say(number, sha, LINE, f"Comment number {index}.") for index in range(53)]
    for index in range(170):
        team.say(number, sha, LINE, f"Answer {index}.", author="dev", in_reply_to=roots[1])

    pull = await team.client().fetch_harvest(REPO, number)

    assert [thread.root.comment_id for thread in pull.threads] == roots
    assert len(pull.threads[1].comments) == 171
    assert pull.threads[1].comments[170].reply_to_id == roots[1]


async def test_only_approvals_are_read_however_many_comments_there_are(team: Team) -> None:
    number, sha = an_open_pull(team)
    for index in range(60):
        team.say(number, sha, LINE, f"Comment number {index}.")
    team.standin.approve(REPO, number, author="mara", commit_sha=sha)

    pull = await team.client().fetch_harvest(REPO, number)

    assert [(review.author.login, review.state, review.commit_sha) for review in pull.reviews] == [
        ("mara", "APPROVED", sha)
    ]


async def test_an_expired_token_is_fetched_anew_once(team: Team) -> None:
    number, _ = an_open_pull(team)
    client = team.client()
    await client.fetch_pull(REPO, number)
    team.standin.faults.expire_token("GET")

    assert (await client.fetch_pull(REPO, number))["number"] == number


async def test_limits_and_bad_gateways_are_for_later_and_nothing_is_sent_twice(team: Team) -> None:
    number, sha = an_open_pull(team)
    client = team.client()
    team.standin.faults.secondary_limit("GET", retry_after_seconds=77)
    with pytest.raises(RetryLater) as caught:
        await client.fetch_pull(REPO, number)
    assert caught.value.after_seconds == 77

    team.standin.faults.secondary_limit("GET")
    with pytest.raises(RetryLater) as caught:
        await client.fetch_pull(REPO, number)
    assert caught.value.after_seconds >= 60

    team.standin.faults.bad_gateway("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", after_effect=True)
    with pytest.raises(RetryLater):
        await client.create_pending_review(REPO, number, sha, "", [])
    assert len(team.standin.reviews(REPO, number)) == 1


@pytest.mark.parametrize(
    ("login", "permission"),
    [("root", "admin"), ("max", "write"), ("mara", "write"), ("tim", "read"), ("rita", "read")],
)
async def test_permissions_as_github_maps_them(team: Team, login: str, permission: str) -> None:
    assert await team.client().fetch_permission(REPO, login) == permission


async def test_nobody_has_no_permission(team: Team) -> None:
    assert await team.client().fetch_permission(REPO, "no-such-account") in ("none", "read")


async def test_a_review_is_created_pending_listed_submitted(team: Team) -> None:
    number, sha = an_open_pull(team)
    client = team.client()
    said = [{"path": "service.py", "line": LINE, "side": "RIGHT", "body": "Name the number."}]

    review_id = await client.create_pending_review(REPO, number, sha, "One finding.", said)
    with pytest.raises(Refused, match="pending"):
        await client.create_pending_review(REPO, number, sha, "Another.", [])
    await client.submit_review(REPO, number, review_id, "One finding.")

    (review,) = await client.list_reviews(REPO, number)
    assert (review["id"], review["state"]) == (review_id, "COMMENTED")
    assert [item["body"] for item in await client.list_review_comments(REPO, number, review_id)] == ["Name the number."]


async def test_a_pending_review_can_be_thrown_away(team: Team) -> None:
    number, sha = an_open_pull(team)
    client = team.client()

    await client.delete_pending_review(REPO, number, await client.create_pending_review(REPO, number, sha, "", []))

    assert await client.list_reviews(REPO, number) == []


async def test_a_line_outside_the_diff_is_refused_with_githubs_words(team: Team) -> None:
    number, sha = an_open_pull(team)
    said = [{"path": "service.py", "line": 4_000, "side": "RIGHT", "body": "x"}]
    with pytest.raises(Refused) as caught:
        await team.client().create_pending_review(REPO, number, sha, "", said)
    assert caught.value.reason == "invalid"


async def test_one_check_run_per_external_id(team: Team) -> None:
    _, sha = an_open_pull(team)
    client = team.client()
    about: dict[str, Any] = {"external_id": "review:1", "title": "Review", "summary": "2 hunks", "name": CHECK_NAME}

    own = {"external_id": "review:1", "name": CHECK_NAME}
    assert await client.find_check_run(REPO, sha, **own) is None
    first = await client.ensure_check_run(REPO, sha, conclusion=None, **about)
    second = await client.ensure_check_run(REPO, sha, conclusion="success", **about)

    (run,) = team.standin.check_runs(REPO, sha)
    assert first == second == run["id"]
    assert (await client.find_check_run(REPO, sha, **own) or {})["id"] == first
    assert await client.find_check_run(REPO, sha, external_id="review:2", name=CHECK_NAME) is None
    assert (run["status"], run["conclusion"]) == ("completed", "success")


async def test_files_and_labels(team: Team) -> None:
    number, _ = an_open_pull(team)
    client = team.client()
    team.standin.label(REPO, number, "one", by="mara")
    team.standin.unlabel(REPO, number, "one", by="tim")
    team.standin.label(REPO, number, "two", by="root")

    assert [file["filename"] for file in await client.fetch_files(REPO, number)] == ["service.py"]
    labels = (await client.fetch_timeline(REPO, number)).labels
    assert [(event.act, event.label, event.actor.login) for event in labels] == [
        ("labeled", "one", "mara"),
        ("unlabeled", "one", "tim"),
        ("labeled", "two", "root"),
    ]


async def test_failed_deliveries_are_listed_as_the_app(team: Team) -> None:
    assert await team.client().fetch_failed_deliveries() == []
