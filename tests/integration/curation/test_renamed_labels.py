"""A label that is renamed in the repository leaves every pull request at once, and GitHub tells of none of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.curation.decision import APPROVE_LABEL, PRIVATE_LABEL, REJECT_LABEL
from app.curation.recording import Scope, is_private
from app.store.database import reading
from app.workflows import engine
from app.workflows.runs import Queue, State
from tests.integration.curation.test_curation import a_merged_pull, in_force
from tests.integration.team import REPO, Team, assembled_team
from tests.waiting import eventually


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Team]:
    """A team of its own: a renamed label concerns all pull requests of the repository."""
    with assembled_team(tmp_path) as team:
        yield team


def recheck(team: Team, label: str) -> int:
    workflow_id = f"recheck_label:{label}"
    mine = team.installation_id
    engine.start("recheck_label", workflow_id, mine, REPO, label, queue=Queue.GITHUB, partition=mine)
    found = engine.wait(workflow_id, timeout_seconds=30)
    eventually(lambda: not engine.list_runs((State.ENQUEUED, State.PENDING)), timeout_seconds=30)
    assert isinstance(found, int)
    return found


def test_what_a_renamed_label_approved_is_void_until_it_is_set_anew(alone: Team) -> None:
    number, other = a_merged_pull(alone), a_merged_pull(alone)
    alone.standin.label(REPO, other, APPROVE_LABEL, by="mara")
    alone.standin.unlabel(REPO, other, APPROVE_LABEL, by="mara")
    for pull in (number, other):  # the other one by an old act that is no longer the newest
        alone.standin.label(REPO, pull, APPROVE_LABEL, by="mara")
        alone.run("curate", pull)
    assert in_force(alone, number) == in_force(alone, other) == ["approve", "approve"]

    alone.standin.rename_label(REPO, APPROVE_LABEL, "fine", by="mara")
    assert recheck(alone, APPROVE_LABEL) == 2

    assert in_force(alone, number) == in_force(alone, other) == ["void", "void"]
    assert {(row.actor, row.detail["reason"]) for row in alone.audits("curation.void")} == {
        ("unknown", "the label was renamed or deleted")
    }
    alone.standin.label(REPO, number, APPROVE_LABEL, by="mara")
    alone.run("curate", number)
    assert in_force(alone, number) == ["approve", "approve"]


def test_a_renamed_label_makes_nothing_public_and_lifts_no_rejection(alone: Team) -> None:
    rejected, private = a_merged_pull(alone), a_merged_pull(alone)
    alone.standin.label(REPO, rejected, REJECT_LABEL, by="mara")
    alone.standin.label(REPO, private, PRIVATE_LABEL, by="mara")
    for pull in (rejected, private):
        alone.run("curate", pull)

    for label in (REJECT_LABEL, PRIVATE_LABEL):
        alone.standin.rename_label(REPO, label, f"old {label}", by="mara")
        recheck(alone, label)
    alone.run("curate", private)

    assert in_force(alone, rejected) == ["reject", "reject"]
    assert alone.examples(private) == []
    with reading(alone.services.database) as session:
        assert is_private(session, Scope(installation_id=alone.installation_id, repository=REPO, number=private))
