"""Several heads of one pull request: what is the same is not read twice, and a refused place loses no comment.

The reviewer is a stand-in that comments on every line with a `print`; GitHub's side, git, queue and database are real.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.domain.lines import LineSite
from app.domain.prompt import Message
from app.review.drafting import Reviewer, draft_review
from app.workflows import engine, reviewing
from app.workflows.runs import Queue
from tests.integration.team import REPO, SERVICE, Team

PRINTING = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
OTHER = "def other(rows):\n    print(rows)\n    return rows\n"
MAKE = "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews"


class Prints:
    threshold = 0.5

    def score(self, sites: Sequence[LineSite]) -> list[float]:
        return [0.9 if "print" in site.text else 0.1 for site in sites]


class Everything:
    threshold = 0.5

    def score(self, line_text: str, body: str) -> float:
        return 0.9


@dataclass
class Loggers:
    asked: list[str] = field(default_factory=list)

    async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str | None:
        self.asked.append(messages[1].content)
        marked = next(row for row in messages[1].content.split("\n") if row.startswith(">"))
        return json.dumps({"comment": f"Log {marked[2:].strip()} instead."})

    def paths(self) -> list[str]:
        """Of the files asked about since the last call."""
        found = [content.split("\n")[0] for content in self.asked]
        self.asked.clear()
        return found


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Loggers:
    words = Loggers()

    async def load(installation_id: int) -> Reviewer:
        return Reviewer(adapter="7--v1", locator=Prints(), writer=words, acceptance=Everything())

    monkeypatch.setattr(reviewing, "load_reviewer", load)
    return words


def review(team: Team, number: int, asked: str = "") -> str:
    head = team.standin.find_pull(REPO, number)[1].head_sha
    review_id = f"{team.services.host}:{team.standin.repository(REPO).id}:{number}:{head}"
    workflow_id = f"review:{review_id}:{asked}"
    arguments: tuple[Any, ...] = (team.installation_id, REPO, review_id, asked)
    engine.start("review", workflow_id, *arguments, queue=Queue.GITHUB, partition=team.installation_id)
    return str(engine.wait(workflow_id, 120))


def summary(team: Team, number: int) -> str:
    (check,) = team.standin.check_runs(REPO, team.standin.find_pull(REPO, number)[1].head_sha)
    return str(check["output"]["summary"])


def said(team: Team, number: int) -> list[tuple[str, int]]:
    reviews = team.standin.reviews(REPO, number, author=f"{team.standin.slug}[bot]")
    assert {one["state"] for one in reviews} <= {"COMMENTED"}
    return sorted((one["path"], one["original_line"]) for found in reviews for one in found["comments"])


def test_a_push_is_read_where_it_changed_something(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING, "other.py": OTHER})
    assert review(team, number) == "posted"
    assert sorted(writer.paths()) == ["other.py", "service.py"]
    assert said(team, number) == [("other.py", 2), ("service.py", 10)]
    team.fix(number, {"other.py": OTHER.replace("return rows", "print(1)\n    return rows")})
    assert review(team, number) == "posted"
    assert writer.paths() == ["other.py", "other.py"]
    assert said(team, number) == [("other.py", 2), ("other.py", 3), ("service.py", 10)], "nothing is said twice"
    assert "**1** of them had been read at an earlier commit" in summary(team, number)
    team.fix(number, {"notes.md": "later\n"}, amend=True)
    assert review(team, number) == "silent"
    assert writer.paths() == [], "a rebase that leaves every patch as it was"
    assert "**2** of them had been read" in summary(team, number)


def test_the_whole_is_read_when_a_person_asks_for_it(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING})
    assert review(team, number) == "posted"
    team.fix(number, {"notes.md": "later\n"})
    writer.paths()
    assert review(team, number, "full") == "silent"
    assert writer.paths() == ["service.py"]
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
