"""Several heads of one pull request: what is the same is not read twice, and a refused place loses no comment.

The reviewer is a stand-in; GitHub's side, git, queue and database are real.
"""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.policies import POLICY_PATH
from app.review.drafting import draft_review
from app.store.database import reading
from app.store.overviews import select_kept
from app.workflows import context, reviewing
from tests.integration.review.printing import OTHER, PRINTING, Loggers, install_reviewer, review, said, summary
from tests.integration.team import REPO, Team

MAKE = "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews"


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Loggers:
    return install_reviewer(monkeypatch)


def test_a_push_is_read_where_it_changed_something(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING, "other.py": OTHER})
    assert review(team, number) == "posted"
    assert sorted(writer.paths()) == ["other.py", "service.py"]
    assert said(team, number) == [("other.py", 2), ("service.py", 10)]
    team.fix(number, {"other.py": OTHER.replace("return rows", "print(1)\n    return rows")})
    assert review(team, number) == "posted"
    assert writer.paths() == ["other.py"], "the other line there has its comment"
    assert said(team, number) == [("other.py", 2), ("other.py", 3), ("service.py", 10)], "nothing is said twice"
    assert "**1** of them had been read at an earlier commit" in summary(team, number)
    team.fix(number, {"notes.md": "later\n"}, amend=True)
    assert review(team, number) == "silent"
    assert writer.paths() == [], "a rebase that leaves every patch as it was"
    assert "**2** of them had been read" in summary(team, number)


def test_a_line_that_has_a_comment_gets_no_second_one_in_other_words(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING})
    assert review(team, number) == "posted"
    writer.advice = "at debug level"
    team.fix(number, {"service.py": f"# moved\n{PRINTING}\n\nprint(price)\n"})
    writer.paths()
    assert review(team, number) == "posted"
    assert writer.paths() == ["service.py"], "it is not even asked about the line that has its comment"
    assert said(team, number) == [("service.py", 10), ("service.py", 17)]
    assert "1 held back because it was said on this pull request already." in summary(team, number)


def test_the_whole_is_read_when_a_person_asks_for_it(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING})
    assert review(team, number) == "posted"
    team.fix(number, {"notes.md": "later\n"})
    assert review(team, number, "full") == "silent"
    assert "had been read at an earlier commit" not in summary(team, number)
    assert "**2** added lines in **2** files" in summary(team, number)
    assert len(said(team, number)) == 1


def test_a_place_that_github_refuses_is_said_in_words(
    team: Team, writer: Loggers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in refuses, as GitHub does, the whole review for one line that its diff does not show."""
    number, _ = team.open({"service.py": PRINTING, "other.py": OTHER})
    drafted = draft_review

    async def misplaced(*arguments: Any, **more: Any) -> Any:
        draft = await drafted(*arguments, **more)
        moved = [one.model_copy(update={"line": 900}) if one.path == "other.py" else one for one in draft.findings]
        return draft.model_copy(update={"findings": tuple(moved)})

    monkeypatch.setattr(reviewing, "draft_review", misplaced)
    before = len(team.standin.requests)
    assert review(team, number) == "posted"
    assert team.api_requests(before).count(MAKE) == 2, "refused once, and not sent again as it was"
    assert said(team, number) == [("service.py", 10)]
    (posted,) = team.standin.reviews(REPO, number, author=f"{team.standin.slug}[bot]")
    assert "- `other.py`, line 900: Log print(rows) instead." in posted["body"]
    assert posted["body"].count("understudy:review:") == 1


def test_what_shadow_mode_keeps_is_linked_and_read_once_over_all_heads(
    team: Team, writer: Loggers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "_installed", [replace(team.services, public_url="https://u.example/")])
    team.work.commit("main", {POLICY_PATH: "review:\n  mode: shadow\n"}, start=team.first)
    number, _ = team.open({"service.py": PRINTING})
    assert review(team, number) == "shadowed"
    kept = f"https://u.example/dashboard/{team.installation_id}/kept"
    assert f"Maintainers read what was kept on [the dashboard]({kept})." in summary(team, number)
    assert "Log print" not in summary(team, number)
    team.fix(number, {"service.py": f"# moved\n{PRINTING}"})
    assert review(team, number) == "shadowed"
    team.work.commit("main", {POLICY_PATH: ""}, start=team.first)
    with reading(team.services.database) as session:
        rows = select_kept(session, team.installation_id, {REPO}, limit=9, before=None)
    assert [(one.pull_request, one.line, one.body) for one in rows] == [(number, 11, "Log print(order) instead.")]
    assert said(team, number) == []
