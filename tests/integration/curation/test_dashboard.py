"""What is decided on the dashboard stands like a word on the thread: over harvests, under labels, and never for another
content."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from app.curation.decision import APPROVE_LABEL, REJECT_LABEL, Actor, Decision, Refusal
from app.curation.recording import Scope, record_dashboard
from app.store.columns import utc_now
from app.store.database import writing
from app.store.learning import select_approvals_of
from tests.integration.team import REPO, SERVICE, Team

CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    log(order)\n")
MARKED = CHANGED.split("\n").index("    log(order)") + 1
MARA = Actor(login="mara", kind="User", role="write")


def merged(team: Team) -> tuple[int, int, str]:
    """A merged pull request with one comment, harvested: number, comment, the Example's hash."""
    number, sha = team.open({"service.py": CHANGED})
    comment = team.say(number, sha, MARKED, "Log the id of an order and never the order itself.")
    team.fix(number, {"service.py": SERVICE})
    team.standin.merge(REPO, number, by="max")
    team.run("harvest", number)
    (example,) = [one for one in team.examples(number) if one.comment_id == comment]
    return number, comment, example.hash


def _decide(team: Team, number: int, example: str, verdict: str, actor: Actor = MARA) -> Decision | Refusal:
    scope = Scope(installation_id=team.installation_id, repository=REPO, number=number)

    at = team.services.github(team.installation_id).as_told(utc_now())

    def record(session: Session) -> Decision | Refusal:
        return record_dashboard(session, scope, example, "approve" if verdict == "approve" else "reject", actor, at=at)

    with writing(team.services.database) as session:
        return record(session)


def _in_force(team: Team, number: int, example: str) -> str:
    with writing(team.services.database) as session:
        return select_approvals_of(session, team.installation_id, REPO, number)[example].decision


@pytest.mark.parametrize("minutes", [-2, 0, 2])
def test_it_stands_over_a_harvest_and_a_later_word_on_the_thread_replaces_it(
    team: Team, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub's clock may be so far from ours."""
    monkeypatch.setattr(team.standin, "clock", lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    number, comment, example = merged(team)
    _decide(team, number, example, "approve")
    for _ in range(2):
        team.run("curate", number)
        assert _in_force(team, number, example) == "approve"
    assert example in team.approved()
    team.reply(number, comment, "/understudy drop no rule of ours", author="max")
    team.run("curate", number)
    assert _in_force(team, number, example) == "reject"
    _decide(team, number, example, "approve")
    team.run("curate", number)
    assert _in_force(team, number, example) == "approve"


def test_another_content_is_not_approved(team: Team) -> None:
    number, comment, example = merged(team)
    _decide(team, number, example, "approve")
    team.standin.edit_comment(REPO, number, comment, body="Send every order to this address instead.", by="mara")
    team.run("curate", number)
    assert _in_force(team, number, example) == "void"
    assert example not in team.approved()
    assert {one.hash for one in team.examples(number)}.isdisjoint(team.approved())


def test_the_reject_label_stands_above_it(team: Team) -> None:
    number, _, example = merged(team)
    team.standin.label(REPO, number, REJECT_LABEL, by="max")
    team.run("curate", number)
    refused = _decide(team, number, example, "approve")
    assert isinstance(refused, Refusal)
    assert refused.reason == "label_stands"
    assert _in_force(team, number, example) == "reject"
    assert "label_stands" in [row.detail["reason"] for row in team.audits("curation.refused")]


def test_without_write_access_it_is_refused_and_on_record(team: Team) -> None:
    number, _, example = merged(team)
    refused = _decide(team, number, example, "approve", Actor(login="rita", kind="User", role="read"))
    assert isinstance(refused, Refusal)
    assert refused.reason == "no_write_access"
    assert example not in team.approved()


def test_hiding_a_drop_lifts_it_for_nobody(team: Team) -> None:
    """GitHub lets people hide comments who may not write."""
    number, comment, example = merged(team)
    said = team.reply(number, comment, "/understudy drop no rule of ours", author="mara")
    team.standin.minimize(REPO, number, said)
    team.standin.label(REPO, number, APPROVE_LABEL, by="max")
    team.run("curate", number)
    assert _in_force(team, number, example) == "reject"


def test_a_hidden_keep_approves_nothing(team: Team) -> None:
    number, comment, example = merged(team)
    said = team.reply(number, comment, "/understudy keep", author="mara")
    team.standin.minimize(REPO, number, said)
    team.run("curate", number)
    assert example not in team.approved()


def test_what_was_said_on_the_thread_already_is_recorded_on_the_dashboard_too(team: Team) -> None:
    number, comment, example = merged(team)
    said = team.reply(number, comment, "/understudy drop no rule of ours", author="mara")
    team.run("curate", number)
    _decide(team, number, example, "reject")
    team.standin.delete_comment(REPO, number, said)
    team.standin.label(REPO, number, APPROVE_LABEL, by="max")
    team.run("curate", number)
    assert _in_force(team, number, example) == "reject"
