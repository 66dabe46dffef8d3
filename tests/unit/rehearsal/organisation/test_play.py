"""The story performed on the real stand-in: everything it tells is there afterwards."""

from pathlib import Path

import pytest

from app.rehearsal.organisation.play import enter_organisation, label_history, open_heldout, play_history
from app.rehearsal.organisation.records import Story
from app.rehearsal.organisation.story import write_story
from app.rehearsal.standin import StandIn

Played = tuple[Story, StandIn]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    small = write_story(5, "small")
    standin = StandIn(tmp_path_factory.mktemp("standin"), webhook_secret="a secret of the tests")
    told: list[tuple[int, int]] = []
    play_history(small, standin, on_pull=lambda done, total: told.append((done, total)))
    label_history(small, standin)
    assert told == [(done, 14) for done in range(1, 15)]
    return small, standin


def test_every_thread_and_reply_is_on_the_stand_in(played: Played) -> None:
    small, standin = played
    for pull in small.merged:
        _, there = standin.find_pull(pull.repository, pull.number)
        threads = {thread.root.id: thread for thread in there.threads}
        assert set(threads) == {thread.comment_id for thread in pull.threads}
        for thread in pull.threads:
            found = threads[thread.comment_id]
            assert (found.path, found.line, found.root.body) == (thread.path, thread.line, thread.body)
            assert len(found.comments) == 1 + len(thread.replies)
            assert (found.resolved_by is not None) == thread.resolved
            assert thread.line_text in found.root.diff_hunk.splitlines()[-1]


def test_every_pull_is_merged_at_its_head_and_labelled(played: Played) -> None:
    small, standin = played
    built = enter_organisation(small, standin)
    for pull in small.merged:
        _, there = standin.find_pull(pull.repository, pull.number)
        assert there.head_sha == built[pull.repository].head(pull.number)
        assert there.merged_at == pull.merged_at
        assert [label.name for label in there.labels] == ([pull.label.name] if pull.label else [])
        approvals = [review for review in there.reviews if review.state == "APPROVED"]
        assert [(review.author.login, review.commit_sha) for review in approvals] == [
            (pull.approval.author if pull.approval else "", there.head_sha)
        ]


def test_a_held_out_pull_opens_with_its_answer_in_the_diff(played: Played) -> None:
    small, standin = played
    pull = next(pull for pull in small.held_out if pull.violations)
    assert open_heldout(small, standin, pull) == pull.number
    repository, there = standin.find_pull(pull.repository, pull.number)
    changes = {change.path: change.diff for change in repository.git.pull_changes(there.base_sha, there.head_sha)}
    for one in pull.violations:
        hunk = changes[one.path].hunk_with(one.line, "RIGHT")
        assert hunk is not None
    assert there.state == "open"


def test_people_have_the_roles_of_the_story(played: Played, tmp_path: Path) -> None:
    small, standin = played
    for name in small.repositories:
        roles = standin.repository(name).collaborators
        assert {person.login: person.permission for person in small.people} == roles
    assert not list(tmp_path.iterdir())
