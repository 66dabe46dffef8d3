"""Commit messages, docstrings and descriptions reach a snapshot where the owners open their history, nowhere else."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlmodel import select

from app.curation.decision import APPROVE_LABEL, HISTORY_ACTOR, PRIVATE_LABEL, REJECT_LABEL
from app.dataset.building import build_snapshot
from app.domain.written import WrittenExample, WrittenKind
from app.store.database import reading, writing
from app.store.deliveries import save_installation
from app.store.learning import select_approved_examples, select_approved_written, select_written
from app.store.repositories import load_repository
from app.store.rounds import save_snapshot
from app.store.tables import AuditRow, ExampleRow, InstallationRow, RepositoryRow, SnapshotRow
from app.store.written import delete_written
from app.workflows import backfilling, engine, erasure_requests
from app.workflows.history import enqueue_history
from app.workflows.runs import FAILED, State
from app.workflows.sweep_starts import enqueue_sweep
from tests.integration.team import BEGINNING, REPO, Team, assembled_team
from tests.waiting import eventually

MOOR = '''def moor{0}(ship):
    """Find ship number {0} a berth that is wide enough for her.
    """
    for berth in berths({0}):
        if berth.width >= ship.width:
            return berth
    if ship.waits:
        queue(ship)
    return None
'''
POLICY = ".github/understudy.yml"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Team]:
    with assembled_team(tmp_path) as team:
        with writing(team.services.database) as session:
            save_installation(session, InstallationRow(id=team.installation_id, host="github.test", account="acme"))
        yield team


def berth(number: int) -> dict[str, str | None]:
    return {f"berth_{number}.py": MOOR.format(number) + f"\n\nWIDTH_{number} = {number}\nDEPTH_{number} = {number}\n"}


def commit(team: Team, message: str, files: dict[str, str | None], *, who: str = "Ann <ann@example.org>") -> str:
    """On the default branch, by anyone."""
    team.work.git("checkout", "-q", "main")
    team.work.git("fetch", "-q", str(team.standin.bare_path(REPO)), "main")
    team.work.git("reset", "-q", "--hard", "FETCH_HEAD")
    team.work.commit("main", files)
    team.work.git("commit", "-q", "--amend", "--author", who, "-m", message)
    team.work.git("push", "-q", "--force", str(team.standin.bare_path(REPO)), "HEAD:refs/heads/main")
    return team.work.git("rev-parse", "HEAD")


def merged(team: Team, number: int, title: str, *, squashed: str | None = None) -> int:
    """A pull request with one commit of a person with write access, merged, or squashed under a title."""
    branch = f"work-{number}"
    team.work.git("checkout", "-q", "main")
    start = team.work.git("rev-parse", "HEAD")
    sha = team.work.commit(branch, berth(number), start=start)
    team.work.git("commit", "-q", "--amend", "-m", f"Widen berth {number} for the pilot")
    team.work.git("push", "-q", "--force", str(team.standin.bare_path(REPO)), f"HEAD:refs/heads/{branch}")
    sha = team.work.git("rev-parse", "HEAD")
    opened = team.standin.open_pull_request(
        REPO, author="dev", title=title, body="Ships of that width waited.", head_ref=branch, head_sha=sha,
        base_sha=start, created_at=BEGINNING + timedelta(days=number),
    )  # fmt: skip
    team.standin.merge(REPO, opened, by="mara", at=BEGINNING + timedelta(days=number, hours=1), squashed=squashed)
    return opened


def settle() -> None:
    waiting = (State.ENQUEUED, State.PENDING)
    eventually(lambda: not engine.list_runs(waiting), timeout_seconds=60)
    eventually(lambda: not engine.list_runs(waiting), timeout_seconds=60)
    assert not engine.list_runs(FAILED)


def backfill(team: Team) -> None:
    engine.wait(backfilling.start_backfill(team.installation_id), timeout_seconds=60)
    settle()


def sweep(team: Team, tick: str) -> dict[str, int]:
    with writing(team.services.database) as session:
        workflow_id = enqueue_sweep(session, team.installation_id, tick)
    found = cast(dict[str, int], engine.wait(workflow_id, timeout_seconds=60))
    settle()
    return found


def rows_of(team: Team, *, approved: bool = True) -> list[WrittenExample]:
    """But for what the team's first commit said."""
    with reading(team.services.database) as session:
        select_rows = select_approved_written if approved else select_written
        found = [WrittenExample.model_validate(row.payload) for row in select_rows(session, team.installation_id)]
    return [row for row in found if row.commit_sha != team.first]


def texts(team: Team, kind: WrittenKind, *, approved: bool = True) -> set[str]:
    return {row.text.partition("\n")[0] for row in rows_of(team, approved=approved) if row.kind is kind}


def repository_of(team: Team) -> RepositoryRow:
    with reading(team.services.database) as session:
        row = load_repository(session, team.installation_id, team.standin.repository(REPO).id)
    assert row is not None
    return row


def runs(team: Team) -> list[AuditRow]:
    return sorted([*team.audits("history.recorded"), *team.audits("history.closed")], key=lambda row: row.id or 0)


def state_of(team: Team) -> tuple[object, ...]:
    """Everything a run may change."""
    with reading(team.services.database) as session:
        examples = sorted((row.hash, row.source) for row in session.exec(select(ExampleRow)))
    decided = sorted((row.example_hash, row.decision, row.actor) for row in team.approvals())
    return examples, decided, repository_of(team).history_head, [row.idempotency_key for row in runs(team)]


def test_an_opened_history_reaches_the_snapshot_and_is_read_on(installed: Team, tmp_path: Path) -> None:
    team = installed
    commit(team, "Find every ship a berth", berth(1), who="Bo <7+mara@users.noreply.github.com>")
    commit(team, "Count the tides of a day", berth(2), who="Rita <rita@example.org>")
    commit(team, "Sound the depths\n\nWith care.\n\nCo-authored-by: Rita <r@example.org>", berth(5))
    head = commit(team, "Let the harbour be learned from", {POLICY: "history: true\nopt_out: [rita]\n"})
    pull = merged(team, 3, "Let wide ships moor")

    backfill(team)

    commits = {"Find every ship a berth", "Widen berth 3 for the pilot"}
    assert texts(team, WrittenKind.COMMIT) == commits
    assert texts(team, WrittenKind.COMMIT, approved=False) == commits
    assert {row.function for row in rows_of(team) if row.kind is WrittenKind.DOCSTRING} == {"moor1", "moor3"}
    (description,) = [row for row in rows_of(team) if row.kind is WrittenKind.PULL_REQUEST]
    assert description.pull_request == pull
    assert description.text == "Let wide ships moor\n\nShips of that width waited."
    assert "+++ b/berth_3.py" in description.context
    assert {row.actor for row in team.approvals()} == {HISTORY_ACTOR}
    assert {row.actor_role for row in team.approvals()} == {"fact"}
    assert all(row.content_hash == row.example_hash for row in team.approvals())
    (audit,) = runs(team)
    assert (audit.action, audit.detail["saved"], audit.detail["void"]) == ("history.recorded", 5, 0)

    with reading(team.services.database) as session:
        examples = select_approved_examples(session, team.installation_id)
        written = select_approved_written(session, team.installation_id)
    path, _ = build_snapshot(examples, team.installation_id, tmp_path / "snapshots", written=written)
    train, heldout = (
        [json.loads(line) for line in (path / f"written.{part}.jsonl").read_text(encoding="utf-8").splitlines()]
        for part in ("train", "heldout")
    )
    assert train  # the oldest
    assert {row["kind"] for row in (*train, *heldout)} == {"commit", "docstring", "pull_request"}
    assert {row["example"] for row in (*train, *heldout)} == {row.hash for row in written}

    recorded = repository_of(team).history_head
    assert recorded not in (None, head)
    assert sweep(team, "one").get("history") is None
    newest = commit(team, "Dredge the third berth", berth(4))
    asked = len(team.standin.requests)
    assert sweep(team, "two")["history"] == 1
    assert "Dredge the third berth" in texts(team, WrittenKind.COMMIT)
    assert runs(team)[-1].detail["commits"] == 1
    assert repository_of(team).history_head == repository_of(team).seen_head == newest
    assert not [one for one in team.api_requests(asked) if "pulls/" in one]


def read_again(team: Team, key: str) -> dict[str, int]:
    """A run of its own, through the queue."""
    with writing(team.services.database) as session:
        workflow_id = enqueue_history(session, repository_of(team), key)
    return cast(dict[str, int], engine.wait(workflow_id, timeout_seconds=60))


def test_a_run_that_is_cut_off_or_repeated_ends_in_the_same_rows(
    installed: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = installed
    commit(team, "Find every ship a berth", berth(1))
    commit(team, "Let the harbour be learned from", {POLICY: "history: true\n"})
    backfill(team)
    before = repository_of(team).history_head
    commit(team, "Dredge the second berth", berth(2))

    def die(*_: object, **__: object) -> None:
        raise OSError("cut off")

    for place in ("decide_open", "save_heads"):  # the rows are there, then the decisions, too
        with monkeypatch.context() as patch:
            patch.setattr(f"app.workflows.history.{place}", die)
            with pytest.raises(Exception, match="cut off"):
                read_again(team, place)
        assert repository_of(team).history_head == before
        assert "Dredge the second berth" in texts(team, WrittenKind.COMMIT, approved=False)
    read_again(team, "whole")
    after = state_of(team)
    assert len(rows_of(team)) == len(rows_of(team, approved=False)) == 4
    assert len(team.approvals()) == 5
    assert after[2] not in (None, before)

    found = read_again(team, "once more")
    assert set(found.values()) == {0}
    assert state_of(team)[:3] == after[:3]


def test_a_history_that_was_not_opened_is_not_read_and_a_closed_one_is_void(installed: Team) -> None:
    team = installed
    commit(team, "Find every ship a berth", berth(1))
    pull = merged(team, 2, "Let wide ships moor")
    backfill(team)
    assert rows_of(team) == []
    assert texts(team, WrittenKind.COMMIT, approved=False) == set()
    assert repository_of(team).history_head is None
    assert runs(team) == []

    commit(team, "Let the harbour be learned from", {POLICY: "history: true\n"})
    assert sweep(team, "one")["history"] == 1
    assert {row.kind for row in rows_of(team)} == set(WrittenKind)

    team.standin.label(REPO, pull, REJECT_LABEL, by="mara")
    team.run("curate", pull)
    commit(team, "Close the harbour", {POLICY: "history: false\n"})
    sweep(team, "two")
    assert rows_of(team) == []
    assert runs(team)[-1].action == "history.closed"
    assert runs(team)[-1].detail["void"] == 5

    commit(team, "Open the harbour again", {POLICY: "history: true\n"})
    sweep(team, "three")
    assert {row.kind for row in rows_of(team)} == {WrittenKind.COMMIT, WrittenKind.DOCSTRING}, "a rejection stays"

    commit(team, "Learn nothing", {POLICY: "history: true\ncuration: off\n"})
    sweep(team, "four")
    assert rows_of(team, approved=False) == []


def test_private_pull_requests_and_late_opt_outs_are_taken_out(installed: Team) -> None:
    team = installed
    commit(team, "Let the harbour be learned from", {POLICY: "history: true\n"})
    commit(team, "Find every ship a berth", berth(1), who="Rita <rita@example.org>")
    pull = merged(team, 2, "Let wide ships moor")
    commit(team, f"Squash what nobody shall read (#{pull})", berth(3))
    commit(team, "Count the tides of a day", berth(4))
    backfill(team)
    assert len(texts(team, WrittenKind.COMMIT)) == 4

    team.standin.label(REPO, pull, PRIVATE_LABEL, by="mara")
    team.run("curate", pull)
    settle()
    assert texts(team, WrittenKind.COMMIT, approved=False) == {"Find every ship a berth", "Count the tides of a day"}
    assert texts(team, WrittenKind.PULL_REQUEST, approved=False) == set()
    commit(team, "Leave Rita out", {POLICY: "history: true\nopt_out: [rita]\n"})
    sweep(team, "one")
    assert texts(team, WrittenKind.COMMIT, approved=False) == {"Count the tides of a day"}
    assert {row.function for row in rows_of(team, approved=False)} == {None, "moor4"}
    in_force = {row.example_hash: row.decision for row in team.approvals()}
    assert sorted(in_force.values()).count("approve") == 3


@pytest.mark.parametrize("is_late", [True, False])
def test_a_private_pull_request_is_recognised_when_its_squash_lost_the_number(installed: Team, is_late: bool) -> None:
    """Its label comes after the history was read, or before: then no table says what its merge made of it."""
    team = installed
    commit(team, "Let the harbour be learned from", {POLICY: "history: true\n"})
    pull = merged(team, 2, "Let wide ships moor", squashed="Moor what is wide")
    commit(team, "Count the tides of a day", berth(4))
    if is_late:
        backfill(team)
        assert texts(team, WrittenKind.COMMIT) == {"Moor what is wide", "Count the tides of a day"}
    team.standin.label(REPO, pull, PRIVATE_LABEL, by="mara")
    team.run("curate", pull)
    settle()
    backfill(team)
    assert {row.text.partition("\n")[0] for row in rows_of(team, approved=False) if row.function is None} == {
        "Count the tides of a day"
    }
    assert {row.function for row in rows_of(team, approved=False)} == {None, "moor4"}


def freeze(team: Team, *, without: int | None = None) -> Path:
    """A snapshot of all that is approved, or of what has nothing to do with a pull request."""
    with reading(team.services.database) as session:
        written = select_approved_written(session, team.installation_id)
    files = {f"berth_{number}.py" for number in (without,) if number is not None}
    kept = [row for row in written if not any(file in str(row.payload) for file in files)]
    folder = team.services.data / "snapshots"
    path, manifest = build_snapshot([], team.installation_id, folder, written=kept)
    row = SnapshotRow(id=manifest.id, installation_id=team.installation_id, path=str(path), manifest={})
    with writing(team.services.database) as session:
        save_snapshot(session, row)
    return path


@pytest.mark.parametrize("squashed", ["Moor what is wide", None])
def test_an_erased_pull_request_is_found_in_commits(installed: Team, squashed: str | None) -> None:
    """No row of a commit says which pull request it came from, in no table and in no snapshot."""
    team = installed
    commit(team, "Let the harbour be learned from", {POLICY: "history: true\n"})
    pull = merged(team, 2, "Let wide ships moor", squashed=squashed)
    commit(team, "Count the tides of a day", berth(4))
    commit(team, "Find every ship a berth", berth(5))
    backfill(team)
    with writing(team.services.database) as session:  # the description is found by its number: not what is tried here
        delete_written(session, team.installation_id, [row.hash for row in rows_of(team) if row.pull_request == pull])
    other, touched = freeze(team, without=2), freeze(team)
    assert other != touched

    (workflow_id,) = erasure_requests.start_erasure("pull_request", f"{REPO}#{pull}")
    report = engine.wait(workflow_id, timeout_seconds=60)
    assert isinstance(report, dict)
    assert report["examples"] == 2  # the commit and its docstring, before the history is read again
    assert (touched.exists(), other.exists()) == (False, True)
    settle()
    assert texts(team, WrittenKind.COMMIT, approved=False) == {"Count the tides of a day", "Find every ship a berth"}
    assert {row.function for row in rows_of(team, approved=False)} == {None, "moor4", "moor5"}


def test_the_label_approves_a_description_as_it_stands_and_a_new_one_replaces_it(installed: Team) -> None:
    team = installed
    pull = merged(team, 1, "Let wide ships moor")
    assert team.run("harvest", pull).get("approve") is None
    team.standin.label(REPO, pull, APPROVE_LABEL, by="mara")
    team.run("curate", pull)
    (before,) = rows_of(team)
    assert before.kind is WrittenKind.PULL_REQUEST

    team.standin.edit_pull_request(REPO, pull, body="Anything the author likes, after the approval.")
    found = team.run("harvest", pull)
    assert found["void"] == 1
    assert rows_of(team) == []
    (standing,) = rows_of(team, approved=False)
    assert "after the approval" in standing.text

    team.standin.edit_pull_request(REPO, pull, title="Let the widest ships moor")
    team.run("harvest", pull)
    team.standin.unlabel(REPO, pull, APPROVE_LABEL, by="mara")
    team.standin.label(REPO, pull, APPROVE_LABEL, by="tim")
    team.run("curate", pull)
    assert rows_of(team) == []
    assert len(rows_of(team, approved=False)) == 1
