"""A merged pull request becomes Examples and Rejections, over HTTP, git and SQLite."""

import subprocess
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.domain.examples import Evidence, ExampleKind
from app.domain.signals import Replies, Signals
from app.github.git import has_commit
from app.rehearsal.standin.git import BareRepository
from app.workflows import harvesting
from app.workflows.engine import workflow
from tests.integration.team import REPO, SERVICE, Team

ADDED = """\
def discount(order):
    return price(order) * 0.9


def refund(order):
    print(order)
    return -price(order)


"""
REVIEWED = SERVICE.replace("def price(order):", f"{ADDED}def price(order):")
FIXED = REVIEWED.replace("    print(order)\n", "    log.info('refund %s', order.id)\n")
DISCOUNT = REVIEWED.split("\n").index("    return price(order) * 0.9") + 1
PRINT = REVIEWED.split("\n").index("    print(order)") + 1
RETURN = PRINT + 1


def a_merged_pull(team: Team) -> tuple[int, str, str, dict[str, int]]:
    number, sha = team.open({"service.py": REVIEWED, "notes.md": "one\ntwo\n"})
    ids = {
        "fixed": team.say(number, sha, PRINT, "Please log through the logger, never print."),
        "left": team.say(number, sha, DISCOUNT, "Could you take the rate from the price list?"),
        "praise": team.say(number, sha, RETURN, "Nice catch, thanks!"),
        "own": team.say(number, sha, RETURN, "I will rename this in the next pull request.", author="dev"),
        "bot": team.say(number, sha, RETURN, "Cyclomatic complexity is too high here.", author="linter[bot]"),
    }
    team.say(number, sha, PRINT, "Done.", author="dev", in_reply_to=ids["fixed"])
    head = team.fix(number, {"service.py": FIXED})
    team.standin.approve(REPO, number, author="mara", commit_sha=head)
    team.standin.merge(REPO, number, by="mara")
    return number, sha, head, ids


def test_threads_become_examples_with_evidence_and_fix_or_rejections_with_reasons(team: Team) -> None:
    number, sha, head, ids = a_merged_pull(team)

    found = team.run("harvest", number)

    spoken = {example.comment_id: example for example in team.examples(number) if example.comment_id}
    assert set(spoken) == {ids["fixed"], ids["left"]}
    fixed, left = spoken[ids["fixed"]], spoken[ids["left"]]
    assert (fixed.evidence, fixed.line, fixed.commit_sha, fixed.reviewer) == (Evidence.LINE, PRINT, sha, "mara")
    assert fixed.fix is not None
    assert fixed.fix.commit == head
    assert "+    log.info('refund %s', order.id)" in fixed.fix.hunks[0]
    assert left.evidence is Evidence.FILE
    assert left.fix is None
    assert fixed.commented_lines == (DISCOUNT, PRINT, RETURN)
    assert {rejection.comment_id: rejection.reason for rejection in team.rejections(number)} == {
        ids["praise"]: "praise",
        ids["own"]: "self_comment",
        ids["bot"]: "bot",
    }
    assert found == {"merged": 1, "examples": len(team.examples(number)), "rejections": 3}


def test_the_approval_of_an_outsider_shows_no_hunk_that_the_team_read(team: Team) -> None:
    number, sha = team.open({"notes.md": "one\ntwo\n"})
    team.standin.add_user("outsider")
    team.standin.approve(REPO, number, author="outsider", commit_sha=sha)
    team.standin.merge(REPO, number, by="mara")
    team.run("harvest", number)
    assert team.examples(number) == []


def test_hunks_that_were_approved_without_a_word_become_negatives(team: Team) -> None:
    number, *_ = a_merged_pull(team)

    team.run("harvest", number)

    clean = [example for example in team.examples(number) if example.kind is ExampleKind.CLEAN_HUNK]
    assert [example.path for example in clean] == ["notes.md"]
    assert clean[0].commented_lines == ()
    assert clean[0].weight == 1.0


def test_five_requests_are_enough_with_the_summary(team: Team) -> None:
    number, *_ = a_merged_pull(team)
    before = len(team.standin.requests)

    team.run("harvest", number)

    api = [request for request in team.standin.requests[before:] if ".git" not in request.path]
    assert len(api) <= 5, [(request.method, request.path) for request in api]


def test_an_applied_suggestion_is_told_from_any_other_change(team: Team) -> None:
    number, sha = team.open({"service.py": REVIEWED})
    body = "```suggestion\n    log.info('refund %s', order.id)\n```"
    team.say(number, sha, PRINT, body)
    team.fix(number, {"service.py": FIXED})
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    assert [example.evidence for example in team.examples(number) if example.comment_id] == [
        Evidence.SUGGESTION_APPLIED
    ]


def test_a_force_push_is_followed_to_the_rewritten_commit(team: Team) -> None:
    number, sha = team.open({"service.py": REVIEWED})
    team.say(number, sha, PRINT, "Never print in a service.")
    head = team.fix(number, {"service.py": FIXED}, amend=True)
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    (example,) = [example for example in team.examples(number) if example.comment_id]
    assert (example.evidence, example.commit_sha) == (Evidence.LINE, sha)
    assert example.fix is not None
    assert example.fix.commit == head


async def test_a_commit_kept_when_it_was_commented_on_survives_everything(team: Team) -> None:
    """A force-push drops it, GitHub and we clean up; the harvest at the merge still finds what was reviewed."""
    number, sha = team.open({"service.py": REVIEWED})
    team.say(number, sha, PRINT, "Never print in a service.")
    repository = team.standin.repository(REPO)
    where = (team.installation_id, REPO, repository.id, number)
    assert await harvesting.fetch_and_keep(*where, sha)
    lost = team.fix(number, {"service.py": REVIEWED.replace("0.9", "0.8")}, amend=True)
    team.say(number, lost, PRINT, "And never here.")
    head = team.fix(number, {"service.py": FIXED}, amend=True)
    assert await harvesting.fetch_and_keep(*where, head)

    mirror = team.services.data / "mirrors" / "github.test" / f"{repository.id}.git"
    clean_up(team.standin.bare_path(REPO), mirror)
    repository.git = BareRepository(team.standin.bare_path(REPO))  # so that it forgets what was there
    assert repository.git.resolve(sha) is None
    assert (has_commit(mirror, sha), has_commit(mirror, lost)) == (True, False)
    assert not await harvesting.fetch_and_keep(*where, "0" * 39 + "2")
    team.standin.merge(REPO, number, by="mara")
    await harvesting.harvest_pull_request(team.installation_id, REPO, number)

    found = {example.commit_sha: example for example in team.examples(number) if example.comment_id}
    assert found[sha].evidence is Evidence.LINE
    assert found[sha].fix is not None
    assert found[lost].evidence is Evidence.UNKNOWN  # nobody kept that one


def clean_up(*folders: Path) -> None:
    """What git does by itself some day."""
    for folder in folders:
        subprocess.run(["git", "-C", str(folder), "reflog", "expire", "--expire=now", "--all"], check=True)
        subprocess.run(["git", "-C", str(folder), "gc", "--quiet", "--prune=now"], check=True)


def test_what_happened_around_a_comment_is_kept_beside_it(team: Team) -> None:
    number, _, _, ids = a_merged_pull(team)
    team.standin.react(REPO, number, ids["fixed"], "+1", times=2)
    team.standin.react(REPO, number, ids["fixed"], "confused")
    team.reply(number, ids["fixed"], "Thank you!", author="mara")
    team.reply(number, ids["fixed"], "/understudy why", author="rita")
    team.reply(number, ids["left"], "No, this is the only caller.", author="dev")
    team.run("harvest", number)
    before = team.signals(number)
    hashes = {example.hash for example in team.examples(number)}

    assert before[ids["fixed"]] == Signals(
        resolved=False,
        outdated=True,
        reactions={"THUMBS_UP": 2, "CONFUSED": 1},
        replies=Replies(count=2, author_done=1),
        reviewer_association="MEMBER",
    )
    assert before[ids["left"]].replies == Replies(count=1, author_pushback=1)

    team.standin.resolve_thread(REPO, number, ids["fixed"], by="dev")
    team.run("harvest", number)

    now = team.signals(number)[ids["fixed"]]
    assert (now.resolved, now.resolved_by) == (True, "author")
    assert {example.hash for example in team.examples(number)} == hashes


def test_a_renamed_file_is_the_same_file(team: Team) -> None:
    number, sha = team.open({"service.py": REVIEWED})
    team.say(number, sha, PRINT, "Never print in a service.")
    team.fix(number, {"service.py": None, "pricing/service.py": FIXED})
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    (example,) = [example for example in team.examples(number) if example.comment_id]
    assert example.evidence is Evidence.LINE
    assert example.fix is not None


def test_a_deleted_file_says_nothing(team: Team) -> None:
    number, sha = team.open({"draft.py": "print('draft')\n", "service.py": REVIEWED})
    team.say(number, sha, 1, "We do not need this class.", path="draft.py")
    team.fix(number, {"draft.py": None})
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    (example,) = [example for example in team.examples(number) if example.comment_id]
    assert (example.evidence, example.fix) == (Evidence.UNKNOWN, None)


def test_a_comment_on_a_removed_line_asks_whether_it_came_back(team: Team) -> None:
    number, sha = team.open({"service.py": SERVICE.replace("    total = 0\n", "").replace("import json\n", "")})
    total = team.say(number, sha, 9, "This starts the sum; keep it.", side="LEFT")
    imported = team.say(number, sha, 1, "Please say why the import goes.", side="LEFT")
    team.fix(number, {"service.py": SERVICE.replace("import json\n", "")})
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    evidence = {example.comment_id: example.evidence for example in team.examples(number) if example.comment_id}
    assert evidence == {total: Evidence.LINE, imported: Evidence.FILE}


def test_a_dropped_commit_leaves_the_stored_hunk(team: Team) -> None:
    number, _ = team.open({"service.py": REVIEWED})
    hunk = "@@ -4,3 +4,6 @@ def load(path):\n context\n+one\n+two\n+    print(order)"
    team.say(number, "0" * 39 + "1", 7, "Never print in a service.", diff_hunk=hunk)
    team.standin.merge(REPO, number, by="mara")

    team.run("harvest", number)

    (example,) = [example for example in team.examples(number) if example.comment_id]
    assert (example.evidence, example.line, len(example.hunk.lines)) == (Evidence.UNKNOWN, 7, 4)


def test_an_open_pull_request_is_left_for_later(team: Team) -> None:
    number, _ = team.open({"service.py": REVIEWED})

    assert team.run("harvest", number) == {"merged": 0, "examples": 0, "rejections": 0}


def test_harvesting_again_changes_nothing(team: Team) -> None:
    number, *_ = a_merged_pull(team)
    team.run("harvest", number)
    before = {example.hash for example in team.examples(number)}, len(team.rejections(number))

    team.run("harvest", number)

    after = {example.hash for example in team.examples(number)}, len(team.rejections(number))
    assert after == before


@workflow("tests.harvest_twice")
async def harvest_twice(installation_id: int, repository: str, number: int) -> list[dict[str, int]]:
    """As after a kill between the step's commit and its journal entry."""
    first = await harvesting.harvest_pull_request(installation_id, repository, number)
    return [first, await harvesting.harvest_pull_request(installation_id, repository, number)]


def test_a_step_that_ran_twice_leaves_no_duplicate(team: Team) -> None:
    number, *_ = a_merged_pull(team)

    first, second = team.run("tests.harvest_twice", number)

    assert first == second
    assert len({example.hash for example in team.examples(number)}) == first["examples"] == len(team.examples(number))


def test_limits_and_expired_tokens_are_waited_out(team: Team) -> None:
    number, *_ = a_merged_pull(team)
    team.standin.faults.secondary_limit("POST", "/graphql", retry_after_seconds=1)
    team.standin.faults.expire_token("POST", "/graphql")

    assert team.run("harvest", number)["merged"] == 1


def test_a_pull_request_that_github_does_not_show_is_refused(team: Team) -> None:
    with pytest.raises(Refused) as caught:
        team.run("harvest", 4711)
    assert caught.value.reason == "not_found"
