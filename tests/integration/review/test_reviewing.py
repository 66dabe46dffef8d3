"""One review per head commit, on valid lines, whatever fails on the way: real vLLM, HTTP, git, SQLite, job engine."""

import asyncio
from pathlib import Path

import pytest

from app.store.database import writing
from app.store.reviews import save_review
from app.store.rounds import move_pointer
from app.store.tables import ReviewRow
from app.workflows import checking, reviewing
from tests.integration.review.reviewed import CLEAN, GUILTY, ReviewedTeam, promote_adapter
from tests.integration.team import REPO, Team
from tests.serving_fixture import ServingProcess

REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
EVENTS = f"{REVIEWS}/{{review_id}}/events"
PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reviewed(
    team: Team, serving: ServingProcess, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> ReviewedTeam:
    team.services.serving.symlink_to(serving.state)
    return ReviewedTeam(team, promote_adapter(team, tiny_base, tmp_path_factory.mktemp("version") / "version"))


def test_a_broken_rule_gets_one_review_on_its_line_and_a_check_run_with_the_coverage(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    outcome = reviewed.review(number)
    assert outcome.state == "posted"
    assert [review["state"] for review in outcome.reviews] == ["COMMENTED"]
    comment = outcome.reviews[0]["comments"][0]
    line = GUILTY.split("\n").index("    forbidden_float(order)") + 1
    assert (comment["path"], comment["line"]) == ("service.py", line)
    assert reviewed.adapter in comment["body"]
    assert [check["conclusion"] for check in outcome.checks] == ["success"]
    assert "Looked at **5** added lines in **1** file." in outcome.checks[0]["output"]["summary"]
    assert outcome.row.github_review_id == outcome.reviews[0]["id"]


def test_a_clean_pull_request_gets_silence_and_a_green_check_that_says_what_was_read(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": CLEAN})
    outcome = reviewed.review(number)
    assert (outcome.state, outcome.reviews) == ("silent", [])
    assert [check["conclusion"] for check in outcome.checks] == ["success"]
    assert outcome.checks[0]["output"]["title"] == "Read 1 of 1 file: nothing to say"


def test_the_same_head_told_again_gets_no_second_review_or_check(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    first, second = reviewed.review(number), reviewed.review(number, attempt=1)
    assert [review["id"] for review in second.reviews] == [review["id"] for review in first.reviews]
    assert len(second.checks) == 1


@pytest.mark.parametrize(
    ("method", "route", "after_effect"),
    [("POST", REVIEWS, False), ("POST", REVIEWS, True), ("POST", EVENTS, False), ("POST", EVENTS, True)],
)
def test_a_bad_gateway_before_or_after_the_effect_still_ends_in_one_review(
    reviewed: ReviewedTeam, method: str, route: str, after_effect: bool
) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    reviewed.team.standin.faults.bad_gateway(method, route, after_effect=after_effect)
    outcome = reviewed.review(number)
    assert [review["state"] for review in outcome.reviews] == ["COMMENTED"]
    assert len(outcome.checks) == 1


def test_a_secondary_limit_is_waited_out_as_asked(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    reviewed.team.standin.faults.secondary_limit("POST", REVIEWS, retry_after_seconds=2)
    assert len(reviewed.review(number).reviews) == 1


def test_an_expired_token_is_renewed(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    reviewed.team.standin.faults.expire_token("POST", REVIEWS)
    assert len(reviewed.review(number).reviews) == 1


def test_a_push_between_reading_and_posting_takes_the_pending_review_back(reviewed: ReviewedTeam) -> None:
    number, _ = reviewed.team.open({"service.py": GUILTY})
    pushed: list[str] = []

    def push() -> None:
        pushed.append(reviewed.team.fix(number, {"service.py": GUILTY + "# more\n"}, amend=True))

    # Read the head, create pending, list own reviews, read the head again: the push comes before that last look.
    reviewed.team.standin.faults.before("POST", REVIEWS, lambda: reviewed.team.standin.faults.before("GET", PULL, push))
    outcome = reviewed.review(number)
    assert pushed
    assert (outcome.state, outcome.reviews) == ("skipped", [])
    assert reviewed.review(number).state == "posted"


def test_each_step_may_run_twice(reviewed: ReviewedTeam) -> None:
    """A kill -9 between an effect and its checkpoint runs the step again; GitHub must not show it."""
    number, _ = reviewed.team.open({"service.py": GUILTY})
    installation, review_id = reviewed.team.installation_id, reviewed.review_id(number)
    planned = ReviewRow(
        id=review_id,
        installation_id=installation,
        repository=REPO,
        pull_request=number,
        head_sha=reviewed.pull(number).head_sha,
        state="planned",
    )

    async def twice() -> tuple[list[int], list[bool]]:
        with writing(reviewed.team.services.database) as session:
            save_review(session, planned)
        drafts = [await reviewing.draft(installation, review_id) for _ in range(2)]
        assert drafts == ["drafted", "drafted"]
        created = [await reviewing.create_pending(installation, review_id) for _ in range(2)]
        submitted = [await reviewing.submit(installation, review_id, created[0]) for _ in range(2)]
        created.append(await reviewing.create_pending(installation, review_id))
        for _ in range(2):
            await checking.publish_check(installation, review_id, None)
        return created, submitted

    created, submitted = asyncio.run(twice())
    assert len(set(created)) == 1
    assert submitted == [True, True]
    assert [review["state"] for review in reviewed.reviews(number)] == ["COMMENTED"]
    assert len(reviewed.checks(reviewed.pull(number).head_sha)) == 1


def test_without_an_adapter_nothing_is_said_and_nothing_is_shown(reviewed: ReviewedTeam) -> None:
    with writing(reviewed.team.services.database) as session:
        move_pointer(session, reviewed.team.installation_id, None)
    try:
        number, _ = reviewed.team.open({"service.py": GUILTY})
        outcome = reviewed.review(number)
    finally:
        with writing(reviewed.team.services.database) as session:
            move_pointer(session, reviewed.team.installation_id, reviewed.adapter)
    assert (outcome.state, outcome.reviews, outcome.checks) == ("skipped", [], [])
