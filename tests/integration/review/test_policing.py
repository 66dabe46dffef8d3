"""A pull request that edits the policy file is told of every problem at its place, and is never obeyed."""

import asyncio

import pytest

from app.domain.policies import POLICY_PATH
from app.review.policy_check import POLICY_CHECK_NAME
from app.store.database import reading
from app.store.reviews import load_review
from app.workflows import policing
from tests.integration.team import REPO, Team

CHECK_RUNS = "/repos/{owner}/{repo}/check-runs"
BAD = "curation: off\nreview:\n  mode: loud\n  nope: 1\n"


def review_id(team: Team, number: int) -> str:
    head = team.standin.find_pull(REPO, number)[1].head_sha
    return f"{team.services.host}:{team.standin.repository(REPO).id}:{number}:{head}"


def look(team: Team, number: int) -> bool:
    return asyncio.run(policing.check_policy(team.installation_id, REPO, review_id(team, number)))


def checks(team: Team, number: int) -> list[tuple[str, str]]:
    head = team.standin.find_pull(REPO, number)[1].head_sha
    runs = team.standin.check_runs(REPO, head)
    return [(run["conclusion"], run["output"]["title"]) for run in runs if run["name"] == POLICY_CHECK_NAME]


def test_each_problem_is_an_annotation_on_its_line_and_column_once(team: Team) -> None:
    number, sha = team.open({POLICY_PATH: BAD})
    for _ in range(2):  # a second run after a crash adds no second annotation, though GitHub would
        assert look(team, number)
    assert checks(team, number) == [("failure", "2 problems: the defaults would be in force")]
    told = [
        (one["path"], one["start_line"], one["start_column"], one["annotation_level"])
        for one in team.standin.annotations(REPO, sha)
    ]
    assert told == [(POLICY_PATH, 3, 9, "failure"), (POLICY_PATH, 4, 3, "failure")]
    assert team.standin.annotations(REPO, sha)[0]["message"] == ("expected review.mode to be one of post, shadow, off")
    # What it says is not in force: reviews are not off.
    found = asyncio.run(team.client().fetch_policy(REPO))
    assert (found.policy.is_reviewing, found.problem) == (True, None)


def test_a_valid_file_and_a_removed_one_are_green(team: Team) -> None:
    number, _ = team.open({POLICY_PATH: "review:\n  mode: shadow\n"})
    assert look(team, number)
    assert checks(team, number) == [("success", "Valid")]


def test_a_pull_request_that_does_not_change_the_file_gets_nothing(team: Team) -> None:
    """Not even when the default branch has another file by now."""
    number, sha = team.open({"service.py": "x = 1\n"})
    before = len(team.standin.requests)
    assert not look(team, number)
    assert len(team.api_requests(before)) <= 2  # a token and one question
    team.work.commit("main", {POLICY_PATH: "summary: false\n"}, start=team.first)
    assert not look(team, number)
    assert (checks(team, number), team.standin.annotations(REPO, sha)) == ([], [])

    behind, _ = team.open({POLICY_PATH: "summary: false\nversion: 1\n"})
    assert look(team, behind)
    team.work.commit("main", {POLICY_PATH: ""}, start=team.first)


@pytest.mark.parametrize("text", ["[" * 16_000, "a: &x [1]\nb: *x\n", "\x01", "a: !!python/object:os.system x"])
def test_hostile_files_are_problems_and_nothing_else(team: Team, text: str) -> None:
    number, _ = team.open({POLICY_PATH: text})
    assert look(team, number)
    assert checks(team, number) == [("failure", "1 problem: the defaults would be in force")]


def test_a_draft_is_reviewed_where_the_owners_want_that(team: Team) -> None:
    for text, state in (("", None), ("review:\n  drafts: true\n", "skipped")):
        team.work.commit("main", {POLICY_PATH: text}, start=team.first)
        number, _ = team.open({"service.py": f"x = {len(text)}\n"})
        team.standin.find_pull(REPO, number)[1].draft = True
        wanted = asyncio.run(policing.wants_drafts(team.installation_id, REPO))
        assert wanted == (state is not None)
        with reading(team.services.database) as session:
            assert load_review(session, team.installation_id, review_id(team, number)) is None
    team.work.commit("main", {POLICY_PATH: ""}, start=team.first)
