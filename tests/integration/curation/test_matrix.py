"""Who may decide, by what, and what undoes it: every role by every act, over HTTP, git and SQLite.

Expected is the last decision recorded about the Example as it is at the end; "none" when there is none.
"""

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.curation.decision import APPROVE_LABEL, REJECT_LABEL
from app.workflows.harvesting import harvest_pull_request
from tests.integration.team import BEGINNING, PEOPLE, REPO, Team

BOT = "helper[bot]"
#: The author of the pull requests has no write access, like most who send one.
ROLES = {
    "read": "rita",
    "triage": "tim",
    "write": "mara",
    "maintain": "max",
    "admin": "root",
    "outsider": "eve",
    "bot": BOT,
    "author": "newcomer",
}
MAY = ("write", "maintain", "admin")
ACTS = ("approve", "demote_after", "demote_before", "edit", "undo", "replay")
#: What is in force at the end for those who may; for all others nothing ever is.
EXPECTED = {
    "label approve": {"approve": "approve", "demote_after": "approve", "undo": "void"},
    "label reject": {"approve": "reject", "demote_after": "reject", "edit": "reject", "undo": "void"},
    "keep": {"approve": "approve", "demote_after": "approve", "undo": "void"},
    "drop": {"approve": "reject", "demote_after": "reject", "edit": "reject", "undo": "void"},
}
LINES = "".join(f"value_{number} = compute({number})\n" for number in range(1, 2 * len(ROLES) + 1))
Run = Callable[[int], Awaitable[dict[str, int]]]


@pytest.fixture
def run(team: Team) -> Run:
    """One processing of a pull request, as every event about it leads to."""
    return lambda number: harvest_pull_request(team.installation_id, REPO, number)


def expected(means: str, act: str) -> dict[str, str]:
    return {role: EXPECTED[means].get(act, "none") if role in MAY else "none" for role in ROLES}


def a_merged_pull(team: Team, sha: str, threads: int) -> tuple[int, list[int]]:
    """All of the same commit, each with so many threads, every one on a line of its own; the threads' ids."""
    number = team.standin.open_pull_request(
        REPO, author="newcomer", title="Work", head_sha=sha, base_sha=team.first, created_at=BEGINNING
    )
    at = BEGINNING + timedelta(hours=1)
    words = "Please name value_{} after what it holds."
    roots = [  # a minute apart: faster would be a machine's
        team.say(
            number,
            sha,
            line,
            words.format(line),
            author="guest",
            path="values.py",
            created_at=at + timedelta(minutes=line),
        )
        for line in range(1, threads + 1)
    ]
    team.standin.merge(REPO, number, by="mara", at=BEGINNING + timedelta(days=1))
    return number, roots


def in_force(team: Team, number: int) -> dict[int, str]:
    newest = {row.example_hash: row.decision for row in team.approvals() if row.pull_request == number}
    return {
        example.comment_id: newest.get(example.hash, "none")
        for example in team.examples(number)
        if example.comment_id is not None
    }


def demote(team: Team) -> None:
    for login in PEOPLE:
        team.standin.add_collaborator(REPO, login, "read")


def restore(team: Team) -> None:
    for login, permission in PEOPLE.items():
        team.standin.add_collaborator(REPO, login, permission)


@pytest.fixture
def sha(team: Team) -> str:
    team.standin.add_user(BOT, kind="Bot")
    return team.work.commit("values", {"values.py": LINES}, start=team.first)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("label", [APPROVE_LABEL, REJECT_LABEL])
async def test_labels(team: Team, run: Run, sha: str, label: str, act: str) -> None:
    found = {}
    for role, login in ROLES.items():
        number, (root,) = a_merged_pull(team, sha, 1)
        team.standin.label(REPO, number, label, by=login)
        undo = functools.partial(team.standin.unlabel, REPO, number, label, by=login)
        await _act(team, run, number, act, undo=undo, roots=[root])
        found[role] = in_force(team, number)[root]
    assert found == expected(f"label {label.removeprefix('understudy:')}", act)


@pytest.mark.parametrize("act", ACTS)
async def test_commands(team: Team, run: Run, sha: str, act: str) -> None:
    number, roots = a_merged_pull(team, sha, 2 * len(ROLES))
    cases = [(role, verb) for role in ROLES for verb in ("keep", "drop")]
    said = [
        team.reply(number, root, f"/understudy {verb} as {role}", author=ROLES[role])
        for root, (role, verb) in zip(roots, cases, strict=True)
    ]

    def undo() -> None:
        for comment in said:
            team.standin.delete_comment(REPO, number, comment)

    await _act(team, run, number, act, undo=undo, roots=roots)

    decided = in_force(team, number)
    for verb in ("keep", "drop"):
        found = {role: decided[root] for root, (role, said_verb) in zip(roots, cases, strict=True) if said_verb == verb}
        assert found == expected(verb, act)


async def _act(team: Team, run: Run, number: int, act: str, *, undo: Callable[[], None], roots: list[int]) -> None:
    """What happens to a decision after it was said."""
    try:
        if act == "demote_before":
            demote(team)
        if act == "replay":  # taken back before any event arrived; then both arrive, and once more
            undo()
        await run(number)
        if act == "demote_after":
            demote(team)
        if act == "edit":
            for root in roots:
                team.standin.edit_comment(REPO, number, root, "Other words altogether.", at=soon())
        if act == "undo":
            undo()
        before = len(team.approvals())
        await run(number)
        if act in ("approve", "replay"):
            assert len(team.approvals()) == before
    finally:
        restore(team)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=2)


async def test_refusals_name_who_and_why_once(team: Team, run: Run, sha: str) -> None:
    number, roots = a_merged_pull(team, sha, len(ROLES))
    for root, login in zip(roots, ROLES.values(), strict=True):
        team.reply(number, root, "/understudy keep", author=login)

    for _ in range(2):
        await run(number)

    refused = [row for row in team.audits("curation.refused") if row.subject == f"{REPO}#{number}"]
    assert {row.actor: row.detail["reason"] for row in refused} == {
        "rita": "no_write_access",
        "tim": "no_write_access",
        "eve": "no_write_access",
        "newcomer": "no_write_access",
        "helper": "not_human",
    }
    assert len(refused) == 5
    kept = [row for row in team.approvals() if row.pull_request == number]
    assert {(row.actor, row.actor_role) for row in kept} == {("mara", "write"), ("max", "write"), ("root", "admin")}
    assert all(row.source.startswith("comment:") and row.content_hash == row.example_hash for row in kept)
