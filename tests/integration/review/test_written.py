"""What a review by the base posts: ranges with a button where the change fits, words where it does not.

The base is a stand-in that knows what it will say; GitHub's side, git, queue, database and the reader of syntax trees
are real.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.domain.policies import POLICY_PATH
from app.domain.prompt import Message
from app.review.base_review import draft_base_review
from app.store.database import reading
from app.store.feedback import select_feedback
from app.store.reviews import select_findings
from app.store.steering import Place
from app.workflows import feedback, reviewing
from tests.integration.review.printing import review, said, summary
from tests.integration.team import REPO, SERVICE, Team

#: Long enough that a hunk at its end does not show where its function begins.
LONG = (
    SERVICE
    + "\n\nclass Till:\n    def close(self, rows):\n"
    + "".join(f"        row_{number} = rows[{number}]\n" for number in range(12))
)
CHANGED = LONG + "        total = row_1 + row_2\n        total = total + row_3\n        print(total)\n"
FIRST = CHANGED.split("\n").index("        total = row_1 + row_2") + 1


@dataclass
class Base:
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def write(
        self, messages: tuple[Message, ...], schema: dict[str, Any], *, max_tokens: int, seed: int | None = None
    ) -> str | None:
        self.asked.append(messages[1].content)
        return json.dumps({"comments": self.comments})


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Base:
    found = Base()

    async def load(installation_id: int) -> Base:
        return found

    monkeypatch.setattr(reviewing, "load_base_writer", load)
    return found


@pytest.fixture(autouse=True, scope="module")
def asked_for(team: Team) -> None:
    files: dict[str, str | None] = {
        POLICY_PATH: "review:\n  without_adapter: base\n",
        ".gitattributes": "made/** linguist-generated\n",
        "service.py": LONG,
    }
    team.first = team.work.commit("main", files, start=team.first)


def comments(team: Team, number: int) -> list[dict[str, Any]]:
    (found,) = team.standin.reviews(REPO, number, author=f"{team.standin.slug}[bot]")
    return list(found["comments"])


def test_a_range_with_a_change_that_fits_gets_a_button(team: Team, base: Base) -> None:
    change = "        total = sum(rows[1:4])"
    base.comments = [{"start_line": FIRST, "line": FIRST + 1, "comment": "Sum them.", "replacement": change}]
    number, _ = team.open({"service.py": CHANGED})
    assert review(team, number) == "posted"
    (posted,) = comments(team, number)
    assert (posted["start_line"], posted["line"], posted["start_side"]) == (FIRST, FIRST + 1, "RIGHT")
    assert posted["body"] == f"Sum them.\n\n```suggestion\n{change}\n```\n\n<sub>Understudy · base</sub>"
    shown = base.asked[0].split("\n")
    assert "        class Till:" in shown
    assert "            def close(self, rows):" in shown, "the hunk's own context does not reach so far"
    assert [row for row in shown if row[:6].strip().isdigit()] == [
        f"{number:>6} +{line}" for number, line in enumerate(CHANGED.split("\n"), 1) if number >= FIRST and line
    ]
    assert "without the function around them" not in summary(team, number)
    assert team.standin.check_runs(REPO, team.standin.find_pull(REPO, number)[1].head_sha)[0]["conclusion"] == "success"
    with reading(team.services.database) as session:
        (row,) = select_findings(session, _review_id(team, number))
    assert (row.comment_id, row.posted) == (posted["id"], True)


def _review_id(team: Team, number: int) -> str:
    head = team.standin.find_pull(REPO, number)[1].head_sha
    return f"{team.services.host}:{team.standin.repository(REPO).id}:{number}:{head}"


def test_a_suggested_change_that_stands_in_the_code_was_taken(team: Team, base: Base) -> None:
    change = "        total = sum(rows[1:4])"
    base.comments = [{"start_line": FIRST, "line": FIRST + 1, "comment": "Sum them.", "replacement": change}]
    number, _ = team.open({"service.py": CHANGED})
    assert review(team, number) == "posted"
    lines = CHANGED.split("\n")
    team.fix(number, {"service.py": "\n".join([*lines[: FIRST - 1], change, *lines[FIRST + 1 :]])})
    asyncio.run(feedback.poll_pull(team.installation_id, REPO, number))
    with reading(team.services.database) as session:
        (row,) = select_feedback(session, team.installation_id, Place(team.installation_id, REPO, number))
    assert (row.signs["change"], row.verdict) == ("suggestion_applied", "addressed")


def test_a_change_that_does_not_fit_is_said_in_words(team: Team, base: Base) -> None:
    base.comments = [{"line": FIRST + 2, "comment": "Log it.", "replacement": "log(total)"}]
    number, _ = team.open({"service.py": CHANGED})
    assert review(team, number) == "posted"
    (posted,) = comments(team, number)
    assert (posted["line"], posted["body"]) == (FIRST + 2, "Log it.\n\n<sub>Understudy · base</sub>")
    assert "- Suggested changes that did not fit their lines; the comments stand without them: **1**." in summary(
        team, number
    )


def test_what_is_generated_is_not_asked_about_and_green_only_by_the_owners_word(team: Team, base: Base) -> None:
    base.comments = [{"line": 1, "comment": "Wrong."}]
    number, _ = team.open({"made/a.py": "x = 1\n", "b.py": "# Code generated by x. DO NOT EDIT.\ny = 1\n"})
    assert review(team, number) == "silent"
    assert base.asked == []
    told = summary(team, number)
    assert "- `made/a.py`: generated code" in told
    assert "- `b.py`: says that a program wrote it, and no `linguist-generated` of the default branch does" in told
    head = team.standin.find_pull(REPO, number)[1].head_sha
    assert team.standin.check_runs(REPO, head)[0]["conclusion"] == "neutral"


def test_a_refused_range_is_said_in_words_with_its_lines(
    team: Team, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.comments = [{"start_line": FIRST, "line": FIRST + 1, "comment": "Sum them."}]
    number, _ = team.open({"service.py": CHANGED})
    drafted = draft_base_review

    async def misplaced(*arguments: Any, **more: Any) -> Any:
        draft = await drafted(*arguments, **more)
        moved = tuple(one.model_copy(update={"start_line": 1}) for one in draft.findings)
        return draft.model_copy(update={"findings": moved})

    monkeypatch.setattr(reviewing, "draft_base_review", misplaced)
    assert review(team, number) == "posted"
    assert said(team, number) == []
    (posted,) = team.standin.reviews(REPO, number, author=f"{team.standin.slug}[bot]")
    assert f"- `service.py`, lines 1 to {FIRST + 1}: Sum them." in posted["body"]
