"""Which commits may not be learned from: their people asked for it, or their pull request is kept out.

A pull request is found again in the history by its own commits, by what its merge made of them, by who wrote what and
when where they were rebased, and by its number in the subject where GitHub squashed them.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from app.domain.erasure import Forgotten
from app.domain.policies import RepositoryPolicy
from app.github.git import read_git

_FIELDS = 6
_FORMAT = "%x00".join(
    ("%H", "%an", "%ae", "%at", "%s", "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)")
)
_NUMBER = re.compile(r"\(#(\d+)\)$")
_PERSON = re.compile(r"\s*(?P<name>[^<]*?)\s*(?:<(?P<address>[^>]*)>)?\s*")


class ListedCommit(NamedTuple):
    """`people` are the names and addresses of its author and of those it names as co-authors."""

    sha: str
    people: tuple[str, ...]
    address: str
    seconds: str
    subject: str

    @property
    def origin(self) -> tuple[str, str, str]:
        """What a rebase leaves as it is."""
        return self.address, self.seconds, self.subject


class KeptOut(NamedTuple):
    """Pull requests of which nothing is learned: their numbers, their commits, and what their merges made of them."""

    numbers: frozenset[int] = frozenset()
    commits: tuple[ListedCommit, ...] = ()
    merges: frozenset[str] = frozenset()


def fetch_listing(git_dir: Path, *revisions: str) -> tuple[ListedCommit, ...]:
    """Every commit that `git log` shows for the revisions, merges too, newest first.

    Raises:
        GitFailed: when git lacks one of them.
    """
    told = read_git(git_dir, "log", "-z", f"--format={_FORMAT}", *revisions, "--")
    fields = told.split("\0")
    return tuple(_listed(fields[at : at + _FIELDS]) for at in range(0, len(fields) - _FIELDS + 1, _FIELDS))


def _listed(fields: Sequence[str]) -> ListedCommit:
    sha, name, address, seconds, subject, others = fields
    people = [name, address]
    for other in others.split("\x01") if others else ():
        found = _PERSON.fullmatch(other)
        people += [other] if found is None else [part for part in found.groups() if part]
    return ListedCommit(sha, tuple(people), address, seconds, subject)


def fetch_pull_commits(git_dir: Path, trunk: Sequence[str], head: str) -> tuple[ListedCommit, ...]:
    """The commits of a pull request, merged or not: what its head has and the trunk had not when it was begun.

    `trunk`: the first parents of the default branch, newest first. The head itself is always among them.
    """
    behind = set(read_git(git_dir, "rev-list", "--end-of-options", head, "--").split())
    base = next((sha for sha in trunk if sha in behind), None)
    own = fetch_listing(git_dir, head) if base is None else fetch_listing(git_dir, head, f"^{base}")
    return own or fetch_listing(git_dir, "--max-count=1", head)


def fetch_trunk(git_dir: Path, head: str) -> tuple[str, ...]:
    """The first parents of a branch, newest first."""
    return tuple(read_git(git_dir, "rev-list", "--first-parent", "--end-of-options", head, "--").split())


def select_left_out(
    commits: Iterable[ListedCommit], policy: RepositoryPolicy, forgotten: Forgotten, kept_out: KeptOut
) -> frozenset[str]:
    """Ids of the commits that may not be learned from. Pure."""
    shas = {commit.sha for commit in kept_out.commits} | kept_out.merges
    origins = {commit.origin for commit in kept_out.commits}
    return frozenset(
        commit.sha
        for commit in commits
        if commit.sha in shas
        or commit.origin in origins
        or _number(commit.subject) in kept_out.numbers
        or any(_is_opted_out(text, policy) for text in commit.people)
        or forgotten.is_named_in([*commit.people, commit.subject])
    )


def _number(subject: str) -> int | None:
    found = _NUMBER.search(subject)
    return None if found is None else int(found[1])


def _is_opted_out(text: str, policy: RepositoryPolicy) -> bool:
    """By the name, or by the address before its domain: GitHub's own are `login@` and `number+login@`."""
    return policy.is_opted_out(text) or policy.is_opted_out(text.partition("@")[0].rpartition("+")[2])
