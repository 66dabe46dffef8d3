"""What became of our comments, looked up on a stand-in GitHub: real HTTP, git, SQLite and job engine."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from app.__main__ import cli
from app.curation.decision import APPROVE_LABEL, PRIVATE_LABEL
from app.dataset.building import build_snapshot
from app.dataset.erasing import Erased, is_touched
from app.dataset.findings import render_finding_outcomes
from app.domain.erasure import ErasureKind, Subject
from app.domain.errors import Refused
from app.domain.log_lines import render_message
from app.domain.review_policy import is_held_back
from app.domain.snapshots import OutcomeRow
from app.github.client import GitHubClient
from app.github.harvested import HarvestedPull
from app.review.messages import CHECK_NAME, render_held_back
from app.review.rates import AdapterRates
from app.store.database import reading, writing
from app.store.deliveries import save_installation
from app.store.erasing import erase_doomed
from app.store.feedback import save_ask, select_feedback, select_open_pulls, select_spoken_with_feedback
from app.store.learning import select_approved_examples
from app.store.reviews import save_findings, save_review, save_review_state
from app.store.steering import Place
from app.store.tables import FeedbackRow, InstallationRow, ReviewRow
from app.workflows import engine, feedback
from app.workflows.runs import Queue
from app.workflows.telling import read_feedback
from tests.integration.review.commanded import CHANGED, LINE, WORDS, Commanded
from tests.integration.team import REPO, SERVICE, Team

FIXED = CHANGED.replace("    print(order)", "    log.debug(order)")
REACTIONS = "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions"
_TICKS = iter(range(1_000))


@pytest.fixture(scope="module", autouse=True)
def known(team: Team) -> None:
    with writing(team.services.database) as session:
        save_installation(session, InstallationRow(id=team.installation_id, host="github.test", account="acme"))


@pytest.fixture
def commanded(team: Team) -> Iterator[Commanded]:
    """The policy file goes after the test."""
    yield Commanded(team)
    team.work.commit("main", {".github/understudy.yml": ""}, start=team.first)


def declare(team: Team, text: str) -> None:
    team.work.commit("main", {".github/understudy.yml": text}, start=team.first)


def poll(team: Team) -> dict[str, int]:
    """As the schedule starts it."""
    with writing(team.services.database) as session:
        workflow_id = feedback.enqueue_poll(session, team.installation_id, str(next(_TICKS)))
    told: dict[str, int] = json.loads(json.dumps(engine.wait(workflow_id, 120)))
    return told


def look(team: Team, number: int) -> FeedbackRow:
    """Read the signs of one pull request and give those of its one Finding."""
    asyncio.run(feedback.poll_pull(team.installation_id, REPO, number))
    with reading(team.services.database) as session:
        (row,) = select_feedback(session, team.installation_id, Place(team.installation_id, REPO, number))
    return row


def is_open(team: Team, number: int) -> bool:
    with reading(team.services.database) as session:
        return (REPO, number) in select_open_pulls(session, team.installation_id, limit=1_000)


def outcomes(session: Session, team: Team, approved: set[tuple[str, int]]) -> tuple[OutcomeRow, ...]:
    return render_finding_outcomes(select_spoken_with_feedback(session, team.installation_id), approved)


def merge(team: Team, number: int, *, days_ago: int = 1) -> None:
    team.standin.merge(REPO, number, by="mara", at=datetime.now(UTC) - timedelta(days=days_ago))


def test_every_sign_is_kept_by_itself_and_only_people_with_a_role_count(commanded: Commanded) -> None:
    team = commanded.team
    number, comment, _ = commanded.posted()
    for login, reaction in (("mara", "+1"), ("mara", "heart"), ("eve", "-1"), ("rita", "-1"), ("helper[bot]", "-1")):
        team.standin.react(REPO, number, comment, reaction, by=login)
    team.reply(number, comment, "Done.", author="dev")
    team.reply(number, comment, "I disagree", author="eve")
    team.reply(number, comment, "No, never.", author="helper[bot]")
    team.reply(number, comment, "Is that so everywhere?", author="mara")
    team.reply(number, comment, "/understudy why", author="mara")
    team.standin.resolve_thread(REPO, number, comment, by="dev")
    team.fix(number, {"service.py": FIXED})

    row = look(team, number)
    assert row.signs == {
        "thumbs_up": 1,
        "thumbs_down": 0,
        "answers": {"acknowledged": 1, "pushback": 0, "question": 1, "other": 0},
        "resolved": True,
        "resolved_by": "author",
        "change": "line",
        "dismissed": False,
        "dismissed_with_reason": False,
        "gone": False,
        "state": "open",
    }
    assert (row.verdict, row.line_text, row.held_back, row.settled_at) == ("addressed", "print(order)", False, None)


def test_the_app_own_thumbs_and_those_of_no_role_leave_it_unknown(commanded: Commanded) -> None:
    team = commanded.team
    number, comment, _ = commanded.posted()
    team.standin.react(REPO, number, comment, "-1", by=f"{team.standin.slug}[bot]")
    team.standin.react(REPO, number, comment, "-1", times=5)
    row = look(team, number)
    assert (row.signs["thumbs_down"], row.verdict) == (0, "unknown")
    team.standin.react(REPO, number, comment, "-1", by="max")
    row = look(team, number)
    assert (row.signs["thumbs_down"], row.verdict) == (1, "dismissed")


def test_a_dismissal_by_command_wins_over_a_changed_line(commanded: Commanded) -> None:
    number, comment, _ = commanded.posted()
    commanded.reply(number, comment, "/understudy dismiss it is a script")
    commanded.settle()
    commanded.team.fix(number, {"service.py": FIXED})
    row = look(commanded.team, number)
    assert (row.signs["dismissed"], row.signs["dismissed_with_reason"], row.verdict) == (True, True, "dismissed")


def test_a_deleted_comment_is_dismissed(commanded: Commanded) -> None:
    number, comment, _ = commanded.posted()
    commanded.team.standin.delete_comment(REPO, number, comment, by="mara")
    row = look(commanded.team, number)
    assert (row.signs["gone"], row.verdict) == (True, "dismissed")


def test_a_merge_without_a_change_is_ignored_and_left_alone_after_a_week(commanded: Commanded) -> None:
    team = commanded.team
    fresh, *_ = commanded.posted()
    old, *_ = commanded.posted()
    merge(team, fresh, days_ago=6)
    merge(team, old, days_ago=8)
    assert [look(team, number).verdict for number in (fresh, old)] == ["ignored", "ignored"]
    assert (is_open(team, fresh), is_open(team, old)) == (True, False)


def test_an_idle_hour_costs_one_request_a_pull_request_and_no_git(commanded: Commanded) -> None:
    team = commanded.team
    number, comment, _ = commanded.posted()
    before = poll(team)
    assert before["pull_requests"] >= 1
    seen = len(team.standin.requests)
    look(team, number)
    assert team.api_requests(seen) == ["POST /graphql"]
    assert all(one.route != "git" for one in team.standin.requests[seen:])
    team.standin.react(REPO, number, comment, "-1", by="mara")
    seen = len(team.standin.requests)
    look(team, number)
    asked = [request.split()[1] for request in team.api_requests(seen)]
    assert asked == ["/graphql", REACTIONS, "/repos/{owner}/{repo}/collaborators/{username}/permission"]


def test_a_pull_request_that_github_does_not_show_any_more_is_settled_as_unknown(commanded: Commanded) -> None:
    team = commanded.team
    number, *_ = commanded.posted()
    gone = team.standin.repository(REPO).pulls.pop(number)
    try:
        row = look(team, number)
    finally:
        team.standin.repository(REPO).pulls[number] = gone
    assert (row.verdict, row.consent) == ("unknown", "none")
    assert not is_open(team, number)


@pytest.mark.parametrize("error", [KeyError("a stranger's text"), Refused("forbidden", "a stranger's text")])
def test_a_pull_request_that_makes_its_look_fail_ends_no_other_look(
    commanded: Commanded, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is raised: a policy file, a repository's settings on GitHub, a bug of ours."""
    team = commanded.team
    hostile, _, _ = commanded.posted()
    number, _, _ = commanded.posted()
    merge(team, number, days_ago=30)
    told = GitHubClient.fetch_harvest

    async def fetch(client: GitHubClient, repository: str, asked: int) -> HarvestedPull:
        if asked == hostile:
            raise error
        return await told(client, repository, asked)

    monkeypatch.setattr(GitHubClient, "fetch_harvest", fetch)
    counts = poll(team)
    assert counts["failed"] == 1
    assert counts["pull_requests"] >= 1
    (line,) = [render_message(record) for record in caplog.records if "no signs read" in str(record.msg)]
    assert type(error).__name__ in line
    assert "stranger" not in line
    assert (is_open(team, hostile), is_open(team, number)) == (True, False)


def test_own_findings_teach_whether_and_never_what_to_say(commanded: Commanded, tmp_path: Path) -> None:
    """In the snapshot they are outcomes, found again by an erasure; no comment, no hunk is made of them."""
    team = commanded.team
    declare(team, "curation: evidence\n")
    words = "Our own words: log it, never print."
    number, _, finding = commanded.posted(words=words)
    human = team.say(number, team.standin.find_pull(REPO, number)[1].head_sha, LINE + 1, "Please sum with math.fsum.")
    team.fix(number, {"service.py": FIXED.replace("    for item in order:", "    for item in sorted(order):")})
    merge(team, number)
    team.standin.label(REPO, number, APPROVE_LABEL, by="mara")
    team.run("harvest", number)
    assert [one.comment_id for one in team.examples(number) if one.comment_id] == [human]
    assert look(team, number).consent == "evidence"

    with reading(team.services.database) as session:
        rows = select_approved_examples(session, team.installation_id)
        told = [row for row in outcomes(session, team, set()) if row.pull_request == number]
    assert [(row.example, row.accepted, row.line_text, row.is_own) for row in told] == [
        (finding.fingerprint, True, "print(order)", True)
    ]
    folder, _ = build_snapshot(rows, team.installation_id, tmp_path, outcomes=told)
    holding = {file.name.split(".")[0] for file in folder.glob("*.jsonl") if words in file.read_text()}
    assert holding == {"outcomes"}
    subject = Subject(kind=ErasureKind.PULL_REQUEST, name=f"{REPO}#{number}")
    assert is_touched(folder, subject, Erased())
    lone, _ = build_snapshot([], team.installation_id, tmp_path / "lone", outcomes=told)
    assert is_touched(lone, subject, Erased())
    with writing(team.services.database) as session:
        erase_doomed(session, team.installation_id, subject)
        assert select_feedback(session, team.installation_id, Place(team.installation_id, REPO, number)) == []
        assert [row for row in outcomes(session, team, set()) if row.pull_request == number] == []


@pytest.mark.parametrize(
    ("policy", "label", "consent"),
    [
        ("", None, "approval"),
        ("curation: evidence\n", "understudy:private", "none"),
        ("curation: evidence\n", "understudy:reject", "none"),
        ("curation: evidence\nopt_out: [dev]\n", None, "none"),
        ("curation: off\n", None, "none"),
    ],
)
def test_what_may_not_be_learned_gives_no_row(
    commanded: Commanded, policy: str, label: str | None, consent: str
) -> None:
    team = commanded.team
    declare(team, policy)
    number, *_ = commanded.posted()
    team.fix(number, {"service.py": FIXED})
    if label is not None:
        team.standin.label(REPO, number, label, by="mara")
    row = look(team, number)
    assert (row.verdict, row.consent, bool(row.line_text)) == ("addressed", consent, consent != "none")
    with reading(team.services.database) as session:
        learned = [
            [row.pull_request for row in outcomes(session, team, approved) if row.pull_request == number]
            for approved in (set(), {(REPO, number)})
        ]
    assert learned == [[], [number] if consent == "approval" else []]


def test_a_line_that_was_not_kept_is_read_again_before_it_counts_as_harmless(commanded: Commanded) -> None:
    team = commanded.team
    number, *_ = commanded.posted()
    team.standin.label(REPO, number, PRIVATE_LABEL, by="mara")
    kept_out = look(team, number)
    assert (kept_out.consent, kept_out.line_text) == ("none", "")
    assert look(team, number).consent == "none"
    team.standin.unlabel(REPO, number, PRIVATE_LABEL, by="mara")
    row = look(team, number)
    assert (row.consent, row.line_text.strip()) == ("approval", "print(order)")


def held_back(commanded: Commanded) -> int:
    """A pull request of the control group whose review was drafted, as the process died before its fate was told."""
    team = commanded.team
    _, _, finding = commanded.posted(adapter="7--v2")
    number, _ = team.open({"service.py": CHANGED})
    while not is_held_back(0.5, team.standin.repository(REPO).id, number):
        number, _ = team.open({"service.py": CHANGED})
    review_id = commanded.review_id(number)
    mine = finding.model_copy(update={"pull_request": number})
    head = team.standin.find_pull(REPO, number)[1].head_sha
    about: dict[str, Any] = {"installation_id": team.installation_id, "repository": REPO, "pull_request": number}
    with writing(team.services.database) as session:
        save_review(session, ReviewRow(id=review_id, head_sha=head, state="planned", **about))
        save_findings(session, review_id, (mine,))
        save_review_state(session, review_id, "drafted", coverage={"files": []}, adapter="7--v2")
    return number


def test_a_held_back_pull_request_gets_no_comment_and_is_measured_all_the_same(commanded: Commanded) -> None:
    team = commanded.team
    declare(team, "review:\n  holdback: 0.5\n")
    number = held_back(commanded)
    review_id = commanded.review_id(number)
    workflow_id, installation = f"review:{review_id}", team.installation_id
    engine.start("review", workflow_id, installation, REPO, review_id, queue=Queue.GITHUB, partition=installation)
    assert engine.wait(workflow_id, 120) == "held_back"
    assert commanded.state(number) == "held_back"
    assert team.standin.reviews(REPO, number) == []
    (check,) = [run for run in commanded.checks(number) if run["name"] == CHECK_NAME]
    assert (check["conclusion"], check["output"]["title"]) == ("neutral", render_held_back().title)
    assert WORDS not in check["output"]["summary"]

    team.fix(number, {"service.py": FIXED})
    merge(team, number)
    row = look(team, number)
    assert (row.held_back, row.signs["change"], row.verdict) == (True, "line", "addressed")
    with reading(team.services.database) as session:
        assert all(row.pull_request != number for row in outcomes(session, team, {(REPO, number)}))
    rates = rates_of(team, "7--v2")
    assert (rates.held_back_pulls, rates.holdback.held_back and rates.holdback.held_back.value) == (1, 1.0)


def rates_of(team: Team, adapter: str) -> AdapterRates:
    told = read_feedback(team.installation_id)
    return next(AdapterRates.model_validate(one) for one in told["adapters"] if one["adapter"] == adapter)


def test_what_people_said_where_we_were_silent_becomes_an_example_and_is_counted(commanded: Commanded) -> None:
    team = commanded.team
    number, *_ = commanded.posted(adapter="7--v3")
    sha = team.standin.find_pull(REPO, number)[1].head_sha
    near = team.say(number, sha, LINE + 1, "Please sum with math.fsum here.")
    team.fix(number, {"service.py": FIXED.replace("open(path).read()", "path.read_text()")})
    merge(team, number)
    team.run("harvest", number)
    assert [one.comment_id for one in team.examples(number) if one.comment_id] == [near]
    look(team, number)
    assert rates_of(team, "7--v3").missed == 0

    silent, sha = team.open({"service.py": CHANGED})
    about: dict[str, Any] = {"installation_id": team.installation_id, "repository": REPO, "pull_request": silent}
    with writing(team.services.database) as session:
        row = ReviewRow(id=commanded.review_id(silent), head_sha=sha, state="silent", adapter="7--v3", **about)
        save_review(session, row)
    missed = team.say(silent, sha, LINE, "Never print in the service, log it.")
    merge(team, silent)
    team.run("harvest", silent)
    assert [one.comment_id for one in team.examples(silent) if one.comment_id] == [missed]
    rates = rates_of(team, "7--v3")
    assert (rates.missed, rates.pulls, rates.comments, rates.comments_per_pull) == (1, 2, 1, 0.5)


def test_the_report_is_the_same_for_operators_and_on_the_terminal(
    commanded: Commanded, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = commanded.team
    number, *_ = commanded.posted(adapter="7--v4")
    with writing(team.services.database) as session:
        save_ask(session, commanded.review_id(number), team.installation_id, datetime.now(UTC) - timedelta(seconds=90))
        save_review_state(session, commanded.review_id(number), "posted")
    team.fix(number, {"service.py": SERVICE})
    look(team, number)
    rates = rates_of(team, "7--v4")
    assert rates.addressed is not None
    assert (rates.addressed.value, rates.addressed.n, rates.timed) == (1.0, 1, 1)
    assert 90 <= (rates.seconds_to_review or 0) < 150
    needed = {"WEBHOOK_SECRETS": "a secret of the tests", "OPERATOR_TOKEN": "a token of the tests"}
    needed |= {"APP_ID": "1", "PRIVATE_KEY_FILE": "none.pem", "DATABASE_URL": str(team.services.database.url)}
    for name, value in needed.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    monkeypatch.setenv("COLUMNS", "220")
    shown = CliRunner().invoke(cli, ["feedback", "--installation", str(team.installation_id)])
    assert shown.exit_code == 0, shown.output
    assert "7--v4" in shown.output
    assert "100 % (21–100, n=1)" in shown.output
    json.dumps(read_feedback(team.installation_id))
