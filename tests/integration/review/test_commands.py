"""Commands about reviews: who may give them, that each is done once, and what is answered."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.curation.decision import APPROVE_LABEL
from app.curation.messages import HELP, render_answer_marker
from app.domain.examples import Example
from app.review.answers import ASK_ON_A_THREAD, CLOSED, NOT_OURS, SWITCHED_OFF
from app.review.messages import CHECK_NAME
from app.store.database import reading, writing
from app.store.reviews import save_review_state
from app.store.rounds import save_adapter_version
from app.store.steering import Place, load_pause, select_dismissed
from app.store.tables import AdapterVersionRow
from app.workflows import commanding, engine
from app.workflows.engine import workflow
from app.workflows.runs import Queue
from tests.integration.review.commanded import CHANGED, LINE, WORDS, Commanded, key_of
from tests.integration.team import BEGINNING, REPO, Team

REACT = "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
REPLY = "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies"
ROLES = {"rita": False, "tim": False, "eve": False, "helper[bot]": False, "mara": True, "max": True, "root": True}
ABOUT_REVIEWS = ("review", "full review", "pause", "resume", "config", "help", "nonsense", "why", "dismiss no")


@pytest.fixture
def commanded(team: Team) -> Commanded:
    return Commanded(team)


@pytest.fixture
def declared(team: Team) -> Iterator[None]:
    """The policy file goes after the test."""
    yield
    team.work.commit("main", {".github/understudy.yml": ""}, start=team.first)


def declare(team: Team, text: str) -> None:
    team.work.commit("main", {".github/understudy.yml": text}, start=team.first)


def place(commanded: Commanded, number: int) -> Place:
    return Place(commanded.team.installation_id, REPO, number)


@workflow("tests.commands_twice")
async def commands_twice(installation_id: int, node_id: str) -> bool:
    """Each step again right after itself, as when the process dies between an effect and its journal entry."""
    for step in (commanding.acknowledge, commanding.carry_out_and_answer):
        for _ in range(2):
            await step(installation_id, node_id)
    return True


def twice(commanded: Commanded, node_id: str) -> None:
    installation = commanded.team.installation_id
    workflow_id = f"twice:{node_id}"
    engine.start("tests.commands_twice", workflow_id, installation, node_id, queue=Queue.GITHUB, partition=installation)
    engine.wait(workflow_id, 120)


def test_only_people_with_write_access_get_eyes_and_an_answer(commanded: Commanded) -> None:
    """Every role by every command, on the pull request as a whole and on a thread of ours."""
    number, root, _ = commanded.posted()
    heard: dict[str, set[bool]] = {login: set() for login in ROLES}
    for login, may in ROLES.items():
        if may:
            comment = commanded.remark(number, "/understudy help", author=login)
            heard[login].add(commanded.eyes(number, comment) == 1)
            continue
        for said in ABOUT_REVIEWS:
            remark = commanded.team.standin.remark(REPO, number, author=login, body=f"/understudy {said}")
            reply = commanded.team.reply(number, root, f"/understudy {said}", author=login)
            for comment, node in ((remark, f"IC_{remark}"), (reply, f"PRRC_{reply}")):
                assert asyncio.run(commanding.acknowledge(commanded.team.installation_id, node)) is False
                heard[login].add(commanded.eyes(number, comment) == 1)
    assert heard == {login: {may} for login, may in ROLES.items()}
    assert len(commanded.team.own_comments(number)) == sum(ROLES.values())
    assert len(commanded.team.own_replies(number)) == 1  # the Finding itself
    refused = {row.actor for row in commanded.team.audits("curation.refused") if row.subject == f"{REPO}#{number}"}
    assert refused == {"rita", "tim", "eve"}


@pytest.mark.parametrize(
    "body",
    ["> /understudy pause", "```\n/understudy pause\n```", "`/understudy pause`", "Say\n/understudy pause", "<!-- -->"],
)
def test_a_command_within_other_text_is_none(commanded: Commanded, body: str) -> None:
    number, _ = commanded.team.open({"service.py": CHANGED})
    comment = commanded.remark(number, body)
    assert (commanded.eyes(number, comment), commanded.team.own_comments(number)) == (0, [])


def test_what_another_person_puts_into_a_comment_is_no_command_of_its_author(commanded: Commanded) -> None:
    number, _ = commanded.team.open({"service.py": CHANGED})
    comment = commanded.team.standin.remark(REPO, number, author="mara", body="Looks fine")
    commanded.team.standin.edit_remark(REPO, number, comment, "/understudy pause", by="max")
    assert commanded.hear(f"IC_{comment}") is False
    assert commanded.eyes(number, comment) == 0
    commanded.team.standin.edit_remark(REPO, number, comment, "/understudy help")
    assert commanded.hear(f"IC_{comment}")
    commanded.team.standin.edit_remark(REPO, number, comment, "/understudy config\nplease")
    assert commanded.hear(f"IC_{comment}")
    assert [body.split("\n")[0] for body in commanded.team.own_comments(number)] == [
        HELP.split("\n")[0],
        "Adapter: none has passed the gate.",
    ]


def test_eyes_and_answer_are_one_each_whatever_fails_or_runs_again(commanded: Commanded) -> None:
    number, _ = commanded.team.open({"service.py": CHANGED})
    comment = commanded.team.standin.remark(REPO, number, author="mara", body="/understudy help")
    faults = commanded.team.standin.faults
    faults.bad_gateway("POST", REACT, after_effect=True)
    faults.bad_gateway("POST", COMMENTS, after_effect=True)
    commanded.hear(f"IC_{comment}")
    twice(commanded, f"IC_{comment}")
    commanded.hear(f"IC_{comment}")
    assert commanded.eyes(number, comment) == 1
    assert commanded.team.own_comments(number) == [
        f"{HELP}\n\n{render_answer_marker(comment, key_of('/understudy help'))}"
    ]


def test_pause_names_who_and_resume_reviews_what_was_passed_over(commanded: Commanded) -> None:
    team = commanded.team
    number, _ = team.open({"service.py": CHANGED})
    commanded.remark(number, "/understudy pause", author="max")
    commanded.remark(number, "/understudy pause", author="mara")
    review_id = commanded.review_id(number)
    start_review(commanded, review_id)
    assert commanded.state(number) == "skipped"
    (check,) = commanded.checks(number)
    assert (check["name"], check["conclusion"]) == (CHECK_NAME, "neutral")
    assert check["output"]["title"] == "Not reviewed: paused"
    assert check["output"]["summary"].startswith("`max` (write) paused reviews")

    commanded.remark(number, "/understudy resume", author="mara")
    commanded.settle()
    (check,) = commanded.checks(number)
    assert check["output"]["title"] == "Not reviewed: nothing learned yet"  # it was looked at: there is no adapter
    with reading(team.services.database) as session:
        assert load_pause(session, place(commanded, number)) is None
    commanded.remark(number, "/understudy resume", author="mara")
    assert [body.split(";")[0].split("\n")[0] for body in team.own_comments(number)] == [
        "Reviews of this pull request are paused by `max` (write)",
        "Reviews of this pull request were already paused by `max` (write)",
        "Resumed by `mara` (write).",
        "Reviews of this pull request were not paused.",
    ]
    acts = [row for kind in ("review.paused", "review.resumed") for row in team.audits(kind)]
    assert [(row.actor, row.action) for row in acts if row.subject == f"{REPO}#{number}"] == [
        ("max", "review.paused"),
        ("mara", "review.resumed"),
    ]


def test_nothing_is_shown_where_nothing_was_learned_until_somebody_asks(commanded: Commanded) -> None:
    team = commanded.team
    number, _ = team.open({"service.py": CHANGED})
    for text in (CHANGED, f"{CHANGED}# more\n"):
        team.fix(number, {"service.py": text})
        start_review(commanded, commanded.review_id(number))
        assert (commanded.state(number), commanded.checks(number)) == ("skipped", [])
    assert team.standin.reviews(REPO, number) == []
    commanded.remark(number, "/understudy review", author="mara")
    commanded.settle()
    (check,) = commanded.checks(number)
    assert (check["conclusion"], check["output"]["title"]) == ("neutral", "Not reviewed: nothing learned yet")
    assert "For maintainers: " in check["output"]["summary"]


def start_review(commanded: Commanded, review_id: str) -> None:
    installation = commanded.team.installation_id
    engine.start(
        "review", f"review:{review_id}", installation, REPO, review_id, queue=Queue.GITHUB, partition=installation
    )
    engine.wait(f"review:{review_id}", 120)


@pytest.mark.parametrize("verb", ["review", "full review"])
def test_a_review_is_made_where_there_is_none_and_said_where_there_is_one(commanded: Commanded, verb: str) -> None:
    team = commanded.team
    number, _ = team.open({"service.py": CHANGED})
    commanded.remark(number, "/understudy pause")
    commanded.remark(number, f"/understudy {verb}")  # a person who asks is not stopped by a pause
    commanded.settle()
    (check,) = commanded.checks(number)
    assert check["output"]["title"] == "Not reviewed: nothing learned yet"
    assert len(team.own_comments(number)) == 1

    with writing(team.services.database) as session:
        save_review_state(session, commanded.review_id(number), "posted")
    commanded.remark(number, f"/understudy {verb} again")
    commanded.settle()
    told = team.own_comments(number)[-1]
    assert "has its review already" in told
    assert ("It was of the whole patch." in told) == (verb == "full review")
    assert len(commanded.checks(number)) == 1

    team.standin.close(REPO, number, by="mara")
    commanded.remark(number, f"/understudy {verb} please")
    assert team.own_comments(number)[-1].startswith(CLOSED)


@pytest.mark.usefixtures("declared")
def test_nothing_is_reviewed_where_the_owners_switched_it_off(commanded: Commanded) -> None:
    declare(commanded.team, "review:\n  mode: off\n")
    number, _ = commanded.team.open({"service.py": CHANGED})
    commanded.remark(number, "/understudy review")
    commanded.settle()
    assert commanded.team.own_comments(number)[0].startswith(SWITCHED_OFF)
    assert (commanded.state(number), commanded.checks(number)) == (None, [])


def test_a_dismissed_comment_is_remembered_with_who_role_when_and_why(commanded: Commanded) -> None:
    team = commanded.team
    number, root, finding = commanded.posted()
    comment = commanded.reply(number, root, "/understudy dismiss we *print* here, see @ann", author="max")
    twice(commanded, f"PRRC_{comment}")
    commanded.reply(number, root, "/understudy dismiss twice", author="mara")

    assert commanded.eyes(number, comment) == 1
    _, told, again = team.own_replies(number)
    assert told.startswith("Dismissed by `max` (write). Reason: we *print* here, see @&#8203;ann. It will not be said")
    assert again.startswith("This comment was dismissed already.")
    (row,) = [row for row in team.audits("review.dismissed") if row.subject == f"{REPO}#{number}"]
    assert (row.actor, row.detail["role"], row.detail["fingerprint"]) == ("max", "write", finding.fingerprint)
    with reading(team.services.database) as session:
        assert select_dismissed(session, place(commanded, number)) >= {finding.fingerprint, finding.words}
        elsewhere = select_dismissed(session, place(commanded, number + 1_000))
    assert finding.words in elsewhere
    assert finding.fingerprint not in elsewhere


def test_what_is_about_a_thread_is_refused_elsewhere(commanded: Commanded) -> None:
    team = commanded.team
    number, sha = team.open({"service.py": CHANGED})
    human = team.say(number, sha, LINE, "Never print.")
    commanded.reply(number, human, "/understudy dismiss it")
    commanded.remark(number, "/understudy why")
    assert team.own_replies(number)[0].startswith(NOT_OURS)
    assert team.own_comments(number)[0].startswith(ASK_ON_A_THREAD)


def test_why_names_adapter_snapshot_scores_and_the_nearest_past_reviews(commanded: Commanded) -> None:
    team = commanded.team
    past, sha = team.open({"service.py": CHANGED})
    learned = team.say(past, sha, LINE, WORDS)
    team.fix(past, {"service.py": CHANGED.replace("print(order)", "log.info(order)")})
    team.standin.merge(REPO, past, by="mara", at=BEGINNING + timedelta(days=2))
    team.standin.label(REPO, past, APPROVE_LABEL, by="root")
    team.run("harvest", past)
    (example,) = [one for one in team.examples(past) if one.comment_id == learned]
    assert isinstance(example, Example)
    with writing(team.services.database) as session:
        version = AdapterVersionRow(
            name="7--why",
            installation_id=team.installation_id,
            snapshot_id="ds1:abc",
            state="promoted",
            path="",
            manifest={},
        )
        save_adapter_version(session, version)

    number, root, _ = commanded.posted(adapter="7--why")
    commanded.reply(number, root, "/understudy why")
    team.run("curate", number)  # what asks curation the same finds it answered

    _, told = team.own_replies(number)
    lines = told.split("\n")
    assert lines[0] == "**Adapter** `7--why`, trained on the snapshot `ds1:abc`."
    assert lines[1] == "**Where:** its Locator gave this line a high chance (0.83) that your reviewers comment on it."
    assert lines[2] == "**Whether:** its AcceptanceFilter gave these words some chance (0.41) that you act on them."
    address = f"{team.server.base_url}/{REPO}/pull/{past}#discussion_r{learned}"
    assert lines[5].startswith(f"- [#{past}]({address}) `service.py`, similarity ")

    far, thread, _ = commanded.posted(words="Zebra quartz umbrella?", adapter="7--gone")
    with team.standin.lock:
        comment = next(one for _, one in team.standin.find_pull(REPO, far)[1].comments() if one.id == thread)
        comment.diff_hunk = "@@ -0,0 +1 @@\n+unrelated = nothing"
    commanded.reply(far, thread, "/understudy why")
    assert "**Learned from:** no near example." in team.own_replies(far)[1]
    assert "the snapshot that is no longer kept" in team.own_replies(far)[1]


@pytest.mark.usefixtures("declared")
def test_config_shows_each_value_and_where_it_comes_from(commanded: Commanded) -> None:
    declare(commanded.team, "curation: evidence\nreview:\n  mode: shadow\n  tone: 'a|b`c'\n")
    number, _ = commanded.team.open({"service.py": CHANGED})
    commanded.remark(number, "/understudy config")
    declare(commanded.team, "review:\n  mode: <img src=x>\n")
    commanded.remark(number, "/understudy config again")

    first, second = commanded.team.own_comments(number)
    assert '| `curation` | `"evidence"` | `.github/understudy.yml`, line 1 |' in first
    assert '| `review.mode` | `"shadow"` | `.github/understudy.yml`, line 3 |' in first
    assert '| `review.tone` | `"a¦b\'c"` | `.github/understudy.yml`, line 4 |' in first
    assert "| `review.max_comments` | `3` | default |" in first
    assert "can't be used: line 2, column 9: expected review.mode to be one of post, shadow, off" in second
    assert '| `review.mode` | `"post"` | default |' in second
