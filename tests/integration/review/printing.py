"""A reviewer that comments on every line with a `print`; GitHub's side, git, queue and database stay real."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.domain.lines import LineSite
from app.domain.prompt import Message
from app.review.drafting import Reviewer
from app.workflows import engine, reviewing
from app.workflows.runs import Queue
from tests.integration.team import REPO, SERVICE, Team

PRINTING = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
OTHER = "def other(rows):\n    print(rows)\n    return rows\n"


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
    """`advice` is what it asks for in place of the line."""

    asked: list[str] = field(default_factory=list)
    advice: str = "instead"

    async def write(self, messages: tuple[Message, ...], *, seed: int | None = None) -> str | None:
        self.asked.append(messages[1].content)
        marked = next(row for row in messages[1].content.split("\n") if row.startswith(">"))
        return json.dumps({"comment": f"Log {marked[2:].strip()} {self.advice}."})

    def paths(self) -> list[str]:
        """Of the files asked about since the last call."""
        found = [content.split("\n")[0] for content in self.asked]
        self.asked.clear()
        return found


def install_reviewer(monkeypatch: pytest.MonkeyPatch) -> Loggers:
    words = Loggers()

    async def load(installation_id: int) -> Reviewer:
        return Reviewer(adapter="7--v1", locator=Prints(), writer=words, acceptance=Everything())

    monkeypatch.setattr(reviewing, "load_reviewer", load)
    return words


def find_review_id(team: Team, number: int) -> str:
    head = team.standin.find_pull(REPO, number)[1].head_sha
    return f"{team.services.host}:{team.standin.repository(REPO).id}:{number}:{head}"


def review(team: Team, number: int, asked: str = "") -> str:
    review_id = find_review_id(team, number)
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
