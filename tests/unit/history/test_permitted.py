"""Whose commits are left out, and how the commits of a pull request are recognised."""

import pytest

from app.domain.erasure import Forgotten
from app.domain.policies import RepositoryPolicy
from app.domain.written import author_key
from app.history.permitted import KeptOut, ListedCommit, select_left_out

POLICY = RepositoryPolicy(history=True, opt_out=("Rita",))


def a_commit(
    *people: str, sha: str = "a", address: str = "ann@example.org", seconds: str = "7", subject: str = "Widen berth 3"
) -> ListedCommit:
    return ListedCommit(sha, people or ("Ann", address), address, seconds, subject)


@pytest.mark.parametrize(
    ("people", "is_left_out"),
    [
        (("Ann", "ann@example.org"), False),
        (("rita", "r@example.org"), True),
        (("R.", "rita@users.noreply.github.com"), True),
        (("R.", "12+Rita@users.noreply.github.com"), True),
        (("Margarita", "margarita@example.org"), False),
        (("Ann", "ann@example.org", "Rita", "r@example.org"), True),
        (("Gone", "gone@example.org"), True),
    ],
)
def test_people_who_asked_for_it(people: tuple[str, ...], is_left_out: bool) -> None:
    forgotten = Forgotten(keys=frozenset({author_key("gone@example.org")}))
    assert bool(select_left_out([a_commit(*people)], POLICY, forgotten, KeptOut())) is is_left_out


@pytest.mark.parametrize(
    ("commit", "is_left_out"),
    [
        (a_commit(sha="own"), True),
        (a_commit(sha="rebased", seconds="9"), True),
        (a_commit(sha="squashed", subject="Widen the berths (#4)"), True),
        (a_commit(sha="another", subject="Widen the berths (#44)"), False),
        (a_commit(sha="another", seconds="9", address="bo@example.org"), False),
        (a_commit(sha="another", seconds="10"), False),
    ],
)
def test_commits_of_a_pull_request_that_is_kept_out(commit: ListedCommit, is_left_out: bool) -> None:
    own = a_commit(sha="own", seconds="9")
    found = select_left_out([commit], POLICY, Forgotten(), KeptOut(frozenset({4}), (own,)))
    assert bool(found) is is_left_out
