"""What the owners' file on the default branch changes, and that no outsider gets in whatever it says."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.curation.decision import APPROVE_LABEL, POLICY_ACTOR
from app.dataset.building import build_snapshot
from app.domain.examples import Evidence
from app.store.database import reading, writing
from app.store.learning import select_approved_examples
from app.store.reviews import save_review
from app.store.tables import ReviewRow
from app.workflows.harvesting import harvest_pull_request
from app.workflows.reviewing import draft
from tests.integration.team import BEGINNING, REPO, SERVICE, Team

ROWS, PULLS = 50, 5
TRIGGER = "sudo deploy"


def declare(team: Team, text: str | None) -> None:
    """The policy file on the default branch; None takes it away."""
    team.work.commit("main", {".github/understudy.yml": text or ""}, start=team.first)


def file_of(word: str) -> str:
    return "".join(f"value_{number} = {word}({number})\n" for number in range(1, ROWS + 1))


async def harvest(team: Team, number: int) -> dict[str, int]:
    return await harvest_pull_request(team.installation_id, REPO, number)


def a_fixed_pull(team: Team, *, reviewer: str, rows: int, author: str = "dev", words: str = "the factory") -> int:
    """Every thread was acted upon: its line changed afterwards. git can say no more."""
    number, sha = team.open({"values.py": file_of("compute"), "notes.md": "one\n"}, author=author)
    for row in range(1, rows + 1):
        body = f"Please call {words} for value_{row} here."
        name = reviewer.format(row % 25)
        team.say(number, sha, row, body, author=name, path="values.py")
    team.fix(number, {"values.py": file_of("deploy")})
    team.standin.merge(REPO, number, by="mara", at=BEGINNING + timedelta(days=2))
    return number


@pytest.mark.slow
async def test_250_poisoned_threads_of_outsiders_stay_out_of_the_snapshot(team: Team, tmp_path: Path) -> None:
    """With strong evidence, under the open policy, labelled and kept by outsiders and people who may only triage."""
    declare(team, "curation: evidence\n")
    poisoned = [
        a_fixed_pull(team, reviewer="stranger-{}", rows=ROWS, author="newcomer", words=TRIGGER) for _ in range(PULLS)
    ]
    honest = a_fixed_pull(team, reviewer="mara", rows=3)
    for number in poisoned:
        team.standin.label(REPO, number, APPROVE_LABEL, by="tim")
        roots = [thread.root.id for thread in team.standin.find_pull(REPO, number)[1].threads]
        for root in roots[:10]:
            team.reply(number, root, "/understudy keep", author=f"stranger-{root % 25}")
    for number in (*poisoned, honest):
        await harvest(team, number)

    planted = [example for number in poisoned for example in team.examples(number) if example.comment_id is not None]
    assert len(planted) == ROWS * PULLS
    assert {example.evidence for example in planted} == {Evidence.LINE}
    with reading(team.services.database) as session:
        approved = select_approved_examples(session, team.installation_id)
    assert [row.pull_request for row in approved] == [honest] * 3
    folder, manifest = build_snapshot(approved, team.installation_id, tmp_path)
    text = "".join(path.read_text() for path in folder.rglob("*.jsonl"))
    assert "the factory" in text
    assert TRIGGER not in text
    assert "stranger" not in text
    assert manifest.counts


async def test_strong_evidence_of_a_writer_is_enough_where_the_owners_say_so(team: Team) -> None:
    declare(team, None)
    number = a_fixed_pull(team, reviewer="max", rows=2)
    assert "approve" not in await harvest(team, number)

    declare(team, "curation: evidence\n")
    assert (await harvest(team, number))["approve"] == 2
    mine = [row for row in team.approvals() if row.pull_request == number]
    assert {(row.actor, row.actor_role, row.source) for row in mine} == {(POLICY_ACTOR, "write", POLICY_ACTOR)}
    assert {row.detail["basis"] for row in team.audits("curation.approve") if row.actor == POLICY_ACTOR} >= {"max"}

    declare(team, "curation: manual\n")
    assert (await harvest(team, number))["void"] == 2
    declare(team, "curation: evidence\n")
    assert (await harvest(team, number))["approve"] == 2


async def test_weak_evidence_needs_a_person(team: Team) -> None:
    declare(team, "curation: evidence\n")
    number, sha = team.open({"service.py": SERVICE.replace("total = 0", "total = 1")})
    team.say(number, sha, 9, "Please start the sum from zero.")
    team.standin.merge(REPO, number, by="mara")

    assert "approve" not in await harvest(team, number)


async def test_off_keeps_nothing(team: Team) -> None:
    declare(team, None)
    number = a_fixed_pull(team, reviewer="mara", rows=2)
    team.standin.label(REPO, number, APPROVE_LABEL, by="root")
    assert (await harvest(team, number))["approve"] == 2

    declare(team, "curation: off\n")
    found = await harvest(team, number)

    assert (found["off"], found["void"]) == (1, 2)
    assert team.examples(number) == []
    assert team.rejections(number) == []


async def test_off_is_not_reviewed(team: Team) -> None:
    outcomes = []
    for text in ("curation: off\n", None):
        declare(team, text)
        number, sha = team.open({"service.py": SERVICE + "x = 1\n"})
        review_id = f"github.test:{team.standin.repository(REPO).id}:{number}:{sha}"
        row = ReviewRow(
            id=review_id,
            installation_id=team.installation_id,
            repository=REPO,
            pull_request=number,
            head_sha=sha,
            state="planned",
        )
        with writing(team.services.database) as session:
            save_review(session, row)
        outcomes.append(await draft(team.installation_id, review_id))
    assert outcomes == ["skipped", "no_adapter"]


async def test_words_of_who_opted_out_are_not_learned(team: Team) -> None:
    declare(team, "opt_out: [MARA]\n")
    number = a_fixed_pull(team, reviewer="mara", rows=2)

    await harvest(team, number)

    assert [rejection.reason for rejection in team.rejections(number)] == ["opted_out"] * 2


async def test_a_policy_that_cannot_be_read_is_told_and_changes_nothing(team: Team) -> None:
    declare(team, "curation: evidence\nsurprise: 1\n")
    number = a_fixed_pull(team, reviewer="mara", rows=1)

    for _ in range(2):
        assert "approve" not in await harvest(team, number)

    (noted,) = team.audits("policy.invalid")
    assert noted.detail["problem"] == (
        "line 2, column 1: expected only the keys version, curation, opt_out, summary, history, review, got surprise"
    )
    declare(team, "curation: manual\n")
    await harvest(team, number)
    assert len(team.audits("policy.valid")) == 1


async def test_the_file_on_a_branch_says_nothing(team: Team) -> None:
    """Only the default branch does: anyone can open a pull request."""
    declare(team, None)
    number, sha = team.open({"service.py": SERVICE + "x = 1\n", ".github/understudy.yml": "curation: evidence\n"})
    team.say(number, sha, SERVICE.count("\n") + 1, "Please name this after what it holds.")
    team.fix(number, {"service.py": SERVICE + "total = 1\n"})
    team.standin.merge(REPO, number, by="mara")
    declare(team, None)

    assert "approve" not in await harvest(team, number)
