"""What curation writes on GitHub, once each: answers to commands, and the summary of a merged pull request."""

from datetime import UTC, datetime, timedelta

import pytest

from app.curation.decision import APPROVE_LABEL, PRIVATE_LABEL
from app.curation.messages import HELP, SUMMARY_MARKER, render_answer_marker
from app.workflows import answering, harvesting
from app.workflows.engine import workflow
from tests.integration.team import BEGINNING, REPO, SERVICE, Team

CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
FIXED = CHANGED.replace("print(order)", "log.info(order)")
PRINT = CHANGED.split("\n").index("    print(order)") + 1
REPLY = "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"


def a_merged_pull(team: Team, *, merged_at: datetime | None = None) -> tuple[int, int]:
    """With one review comment that was acted upon; the comment's id."""
    number, sha = team.open({"service.py": CHANGED})
    comment = team.say(number, sha, PRINT, "Please log through the logger, never print.")
    team.fix(number, {"service.py": FIXED})
    team.standin.merge(REPO, number, by="mara", at=merged_at)
    return number, comment


def later(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@workflow("tests.everything_twice")
async def everything_twice(installation_id: int, repository: str, number: int) -> bool:
    """Each step again right after itself, as when the process dies between an effect and its journal entry."""
    for step in (harvesting.harvest_pull_request, answering.answer_commands, answering.publish_summary):
        for _ in range(2):
            await step(installation_id, repository, number)
    return True


def test_why_is_answered_once_however_often_it_is_asked_for(team: Team) -> None:
    number, comment = a_merged_pull(team)
    team.standin.label(REPO, number, APPROVE_LABEL, by="root")
    asked = team.reply(number, comment, "/understudy why", author="mara")
    team.standin.faults.bad_gateway("POST", REPLY, after_effect=True)

    team.run("curate", number)
    team.run("tests.everything_twice", number)
    team.run("harvest", number)

    assert team.own_replies(number) == [
        "**Kept**: label `understudy:approve` by `root` (admin); the commented line changed afterwards."
        f"\n\n{render_answer_marker(asked)}"
    ]


def test_each_command_has_its_own_answer(team: Team) -> None:
    number, comment = a_merged_pull(team)
    team.reply(number, comment, "/understudy why", author="mara")
    team.run("curate", number)
    team.reply(number, comment, "/understudy drop it is a matter of @taste", author="max")
    team.reply(number, comment, "/understudy why", author="mara")
    team.reply(number, comment, "/understudy maybe", author="mara")
    team.run("curate", number)

    first, second, third = team.own_replies(number)
    assert first.startswith("**Waiting**: nobody with write access has decided")
    assert second.startswith("**Dropped**: a reply by `max` (write), who said: it is a matter of @&#8203;taste; ")
    assert third.startswith(HELP)


def test_people_without_write_access_are_not_answered_but_noted(team: Team) -> None:
    number, comment = a_merged_pull(team)
    for login in ("tim", "eve", "helper[bot]"):
        team.reply(number, comment, "/understudy why", author=login)
        team.reply(number, comment, "/understudy hm", author=login)

    for _ in range(2):
        team.run("curate", number)

    assert team.own_replies(number) == []
    refused = [row.actor for row in team.audits("curation.refused") if row.subject == f"{REPO}#{number}"]
    assert sorted(refused) == ["eve", "eve", "helper", "helper", "tim", "tim"]


def test_why_on_an_open_pull_request_says_when_it_will_be_looked_at(team: Team) -> None:
    number, sha = team.open({"service.py": CHANGED})
    comment = team.say(number, sha, PRINT, "Never print.")
    team.reply(number, comment, "/understudy why", author="mara")

    team.run("curate", number)

    assert [body.split("\n")[0] for body in team.own_replies(number)] == [
        "Not looked at yet: threads are harvested when their pull request is merged."
    ]
    assert team.own_comments(number) == []


def test_one_summary_is_written_found_again_and_kept_up_to_date(team: Team) -> None:
    number, comment = a_merged_pull(team)
    team.standin.remark(REPO, number, author="eve", body=f"{SUMMARY_MARKER}\nmine")
    team.standin.faults.bad_gateway("POST", COMMENTS, after_effect=True)

    team.run("harvest", number)
    team.run("tests.everything_twice", number)
    (waiting,) = team.own_comments(number)
    assert f"- [`service.py:{PRINT}`](#discussion_r{comment}) by `mara` · **waiting**" in waiting

    team.standin.label(REPO, number, APPROVE_LABEL, by="root")
    team.run("curate", number)
    (kept,) = team.own_comments(number)
    assert "**kept**: label `understudy:approve` by `root` (admin); the commented line changed afterwards" in kept

    writes = [request for request in team.api_requests(0) if request.startswith("PATCH")]
    team.run("curate", number)
    assert [request for request in team.api_requests(0) if request.startswith("PATCH")] == writes
    assert [item["body"] for item in team.standin.conversation(REPO, number, author="eve")] == [
        f"{SUMMARY_MARKER}\nmine"
    ]


def test_twelve_requests_are_enough_with_everything_in_them(team: Team) -> None:
    number, comment = a_merged_pull(team)
    team.standin.label(REPO, number, APPROVE_LABEL, by="root")
    for login in ("mara", "max", "dev", "tim"):
        team.reply(number, comment, "/understudy keep", author=login)
    before = len(team.standin.requests)

    team.run("harvest", number)

    requests = team.api_requests(before)
    assert len(team.own_comments(number)) == 1
    assert len(requests) <= 12, requests


def test_what_was_merged_before_the_app_came_gets_no_comment(team: Team) -> None:
    number, _ = a_merged_pull(team, merged_at=BEGINNING + timedelta(days=1))
    team.standin.label(REPO, number, APPROVE_LABEL, by="root")

    assert team.run("harvest", number)["approve"] >= 1
    assert team.own_comments(number) == []


def test_nothing_to_learn_from_is_nothing_to_tell(team: Team) -> None:
    number, sha = team.open({"service.py": CHANGED})
    team.say(number, sha, PRINT, "Nice, thanks!")
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    assert team.own_comments(number) == []


def test_a_private_pull_request_keeps_nothing_until_a_writer_lifts_it(team: Team) -> None:
    number, _ = a_merged_pull(team)
    team.standin.label(REPO, number, APPROVE_LABEL, by="root")
    assert team.run("harvest", number)["approve"] == 1

    team.standin.label(REPO, number, PRIVATE_LABEL, by="tim")
    assert team.run("curate", number)["refused"] == 1
    assert len(team.examples(number)) == 1

    team.standin.unlabel(REPO, number, PRIVATE_LABEL, by="tim")
    team.standin.label(REPO, number, PRIVATE_LABEL, by="max")
    for _ in range(2):
        assert team.run("curate", number)["private"] == 1
        assert (team.examples(number), team.rejections(number)) == ([], [])
    assert [row.actor for row in team.audits("curation.private")] == ["max"]
    (told,) = team.own_comments(number)
    assert "Nothing of this pull request is kept" in told
    assert "service.py" not in told

    team.standin.unlabel(REPO, number, PRIVATE_LABEL, by="tim")
    assert team.run("curate", number)["private"] == 1
    assert team.examples(number) == []

    team.standin.label(REPO, number, PRIVATE_LABEL, by="max")
    team.standin.unlabel(REPO, number, PRIVATE_LABEL, by="root")
    assert team.run("curate", number)["approve"] == 1
    assert len(team.examples(number)) == 1


def test_private_before_the_merge_is_never_kept(team: Team) -> None:
    number, sha = team.open({"service.py": CHANGED})
    team.say(number, sha, PRINT, "Never print.")
    team.standin.label(REPO, number, PRIVATE_LABEL, by="mara")
    team.run("curate", number)
    team.standin.add_collaborator(REPO, "mara", "read")
    try:
        team.standin.merge(REPO, number, by="root")
        assert team.run("harvest", number)["private"] == 1
    finally:
        team.standin.add_collaborator(REPO, "mara", "write")
    assert (team.examples(number), team.own_comments(number)) == ([], [])


@pytest.mark.parametrize("gone", ["edited", "deleted"])
def test_a_command_that_is_gone_lost_its_effect(team: Team, gone: str) -> None:
    number, comment = a_merged_pull(team)
    said = team.reply(number, comment, "/understudy keep", author="mara")
    assert team.run("curate", number)["approve"] == 1

    if gone == "edited":
        team.standin.edit_comment(REPO, number, said, "On second thought …", at=later(2))
    else:
        team.standin.delete_comment(REPO, number, said)

    assert team.run("harvest", number)["void"] == 1
    assert not {example.hash for example in team.examples(number)} & team.approved()
