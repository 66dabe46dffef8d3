"""After a push, comments of ours whose line changed say so, once, whatever fails on the way; people's words stay."""

import asyncio
from typing import Any

import pytest

from app.domain.findings import Finding
from app.domain.verdicts import Feedback
from app.intake.deliveries import decide_ignored, parse_body
from app.store.database import reading, writing
from app.store.feedback import select_feedback
from app.store.reviews import load_review, select_posted_findings
from app.store.steering import Place, save_dismissal
from app.workflows import feedback, following
from tests.integration.rehearsal.standin.world import receiving
from tests.integration.review.printing import (
    OTHER,
    PRINTING,
    Loggers,
    find_review_id,
    install_reviewer,
    review,
    summary,
)
from tests.integration.team import REPO, Team

EDIT = "/repos/{owner}/{repo}/pulls/comments/{comment_id}"
LIST = "/repos/{owner}/{repo}/pulls/{pull_number}/comments"
FIXED = PRINTING.replace("print(order)", "log.info(order)")


@pytest.fixture(autouse=True)
def writer(monkeypatch: pytest.MonkeyPatch) -> Loggers:
    return install_reviewer(monkeypatch)


def comments(team: Team, number: int) -> dict[str, dict[str, Any]]:
    """Our own, by path."""
    found = team.standin.review_comments(REPO, number, author=f"{team.standin.slug}[bot]")
    return {one["path"]: one for one in found}


def edits(team: Team, since: int) -> int:
    return team.api_requests(since).count(f"PATCH {EDIT}")


def opened(team: Team) -> tuple[int, int]:
    """A pull request with a comment of ours in each of two files, and the count of requests so far."""
    number, _ = team.open({"service.py": PRINTING, "other.py": OTHER})
    assert review(team, number) == "posted"
    return number, len(team.standin.requests)


def fixed(team: Team, number: int) -> str:
    """Pushes a fix of service.py and has it reviewed; the comment's words from then on."""
    team.fix(number, {"service.py": FIXED})
    assert review(team, number) == "silent"
    return str(comments(team, number)["service.py"]["body"])


def test_a_changed_line_is_marked_once_and_all_it_said_stays(team: Team) -> None:
    number, since = opened(team)
    before = comments(team, number)
    head = team.fix(number, {"service.py": FIXED})
    assert review(team, number) == "silent"
    after = comments(team, number)
    seen = f"Addressed or overtaken as of `{head[:7]}`: the line reads otherwise, or is gone."
    mark = f"\n\n<!-- understudy:addressed:{head} -->\n{seen}"
    assert after["service.py"]["body"] == before["service.py"]["body"] + mark
    assert after["other.py"]["body"] == before["other.py"]["body"]
    assert "**1** addressed or overtaken, their lines read otherwise or are gone; **1** stand open." in summary(
        team, number
    )
    team.fix(number, {"notes.md": "later\n"})
    assert review(team, number) == "silent"
    team.fix(number, {"notes.md": "rebased\n"}, amend=True)
    assert review(team, number) == "silent"
    assert comments(team, number)["service.py"]["body"] == after["service.py"]["body"], "it names the first commit"
    assert edits(team, since) == 1


def test_a_line_that_comes_back_is_marked_no_more(team: Team) -> None:
    number, _ = opened(team)
    said = comments(team, number)["service.py"]["body"]
    assert fixed(team, number) != said
    team.fix(number, {"service.py": PRINTING})
    assert review(team, number) == "silent"
    assert comments(team, number)["service.py"]["body"] == said
    assert "**0** addressed or overtaken, their lines read otherwise or are gone; **2** stand open." in summary(
        team, number
    )


def test_what_was_dismissed_or_deleted_is_left_alone(team: Team, writer: Loggers) -> None:
    writer.advice = "in a file of its own"  # what is dismissed once is dismissed in the other tests, too
    number, since = opened(team)
    place = Place(team.installation_id, REPO, number)
    with writing(team.services.database) as session:
        rows = {row.path: row for row in select_posted_findings(session, *place)}
        finding, comment_id = Finding.model_validate(rows["service.py"].payload), rows["service.py"].comment_id or 0
        save_dismissal(session, place, finding, comment_id=comment_id, actor="mara", role="write", reason="on purpose")
    team.standin.delete_comment(REPO, number, comments(team, number)["other.py"]["id"], by="mara")
    team.fix(number, {"service.py": FIXED, "other.py": None})
    assert review(team, number) == "silent"
    assert edits(team, since) == 0
    assert "PostedFinding comments" not in summary(team, number)


def test_a_comment_deleted_right_before_its_edit_is_no_failure(team: Team) -> None:
    number, since = opened(team)
    comment_id = comments(team, number)["service.py"]["id"]
    team.fix(number, {"service.py": FIXED})
    team.standin.faults.before("PATCH", EDIT, lambda: team.standin.delete_comment(REPO, number, comment_id, by="mara"))
    assert review(team, number) == "silent"
    assert edits(team, since) == 1
    assert list(comments(team, number)) == ["other.py"]


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_bad_gateway_before_or_after_the_edit_leaves_one_mark(team: Team, *, after_effect: bool) -> None:
    number, since = opened(team)
    team.standin.faults.bad_gateway("PATCH", EDIT, after_effect=after_effect)
    assert fixed(team, number).count("Addressed or overtaken") == 1
    assert edits(team, since) == (1 if after_effect else 2)


def test_the_step_may_run_twice_and_edits_once(team: Team) -> None:
    """A kill -9 between the edit and its checkpoint runs the step again."""
    number, since = opened(team)
    marked = fixed(team, number)
    review_id = find_review_id(team, number)
    again = [asyncio.run(following.mark_comments(team.installation_id, review_id)) for _ in range(2)]
    assert again == [0, 0]
    assert comments(team, number)["service.py"]["body"] == marked
    assert edits(team, since) == 1


def test_a_head_that_moved_on_is_marked_by_its_own_review(team: Team) -> None:
    number, since = opened(team)
    team.fix(number, {"service.py": FIXED})
    stale = find_review_id(team, number)

    def push_back() -> None:
        """Between the drafting, which saw the line changed, and the look before the edit."""
        team.fix(number, {"service.py": PRINTING})

    team.standin.faults.before("GET", LIST, push_back)
    assert review(team, number) == "silent"
    assert edits(team, since) == 0
    with reading(team.services.database) as session:
        row = load_review(session, team.installation_id, stale)
    assert row is not None
    assert len(row.coverage["followed"]["addressed"]) == 1
    assert review(team, number) == "silent"
    assert edits(team, since) == 0, "the line is back"


def _number(payload: dict[str, Any]) -> int:
    return int(payload["pull_request"]["number"])


def test_our_own_edit_is_no_word_of_anybody(team: Team) -> None:
    """GitHub tells of it as of any edit: intake puts it aside, and the Verdict still comes from git."""
    number, _ = opened(team)
    with receiving() as receiver:
        team.server.deliver_to(receiver.url)
        fixed(team, number)
        team.server.drain()
        team.server.deliver_to(None)
    told = [one for one in receiver.received if one.payload["action"] == "edited" and _number(one.payload) == number]
    assert [decide_ignored(one.event, parse_body(one.content), team.standin.slug) for one in told] == [
        "ignored: own act"
    ]
    asyncio.run(feedback.poll_pull(team.installation_id, REPO, number))
    with reading(team.services.database) as session:
        rows = select_feedback(session, team.installation_id, Place(team.installation_id, REPO, number))
    signs = {row.line_text: Feedback.model_validate(row.signs) for row in rows}
    assert {text: one.change.value for text, one in signs.items()} == {
        "print(order)": "line",
        "print(rows)": "unchanged",
    }
    assert not any(one.gone or one.answers.other for one in signs.values())
