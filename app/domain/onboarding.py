"""How Understudy begins at a repository: the file it proposes, and what it may do before its owners said yes. Pure.

Where the App may write contents it opens one pull request and holds still until that is merged; where it may not, it
begins at once, as its owners chose when they made and installed it (ADR 0026).
"""

from enum import StrEnum
from urllib.parse import quote, urlencode

from app.domain.base import Record
from app.domain.policies import POLICY_PATH

#: The branch of the pull request; also what it is found again by, together with the mark in its text.
BRANCH = "understudy/onboarding"
MARKER = "<!-- understudy:onboarding -->"
DECLINED_MARKER = "<!-- understudy:onboarding-declined -->"

#: Valid as it stands, and the defaults: merging it unchanged changes nothing but the yes.
POLICY_TEXT = """\
# What Understudy may do in this repository. Every line is the default; it is read from the default branch only.
version: 1

# Who lets review comments in as examples: `manual`, people with write access by label or command; `evidence`, also
# comments after which exactly that line was changed; `off`, nobody: then nothing is learned or reviewed.
curation: manual

# People whose words are never learned from.
opt_out: []

# One comment on a merged pull request that lists what could be learned from it.
summary: true

# May commit messages, docstrings and descriptions of pull requests be learned from, too?
history: false

review:
  # `post` reviews · `shadow` writes only what it would have said into its check run · `off` reviews nothing.
  mode: post
  # At most so many comments on a pull request.
  max_comments: 3
"""


class Onboarding(StrEnum):
    """A repository's place in it. `DUE`: to be proposed once its history was read. `OPEN`: proposed. `DECLINED`: the
    pull request was closed. `STARTED`: merged, or never to be asked."""

    DUE = "due"
    OPEN = "open"
    DECLINED = "declined"
    STARTED = "started"


class Work(StrEnum):
    """`READ`: harvesting what was merged, which the report needs. `ACT`: everything that shows or decides anything."""

    READ = "read"
    ACT = "act"


class Seen(Record):
    """What GitHub shows of a repository now. `pull`: ours, where there is one."""

    may_propose: bool
    has_policy: bool
    pull: "Proposal | None" = None


class Proposal(Record):
    number: int
    is_open: bool
    is_merged: bool


class Step(Record):
    """`to` is the repository's place from now on; `propose`: open the pull request; `say_declined`: once."""

    to: Onboarding
    propose: bool = False
    say_declined: bool = False


def decide_first(*, may_propose: bool) -> Onboarding:
    """The place of a repository that has none yet."""
    return Onboarding.DUE if may_propose else Onboarding.STARTED


def is_allowed(place: Onboarding, work: Work) -> bool:
    """Whether anything of the kind may happen in a repository."""
    if place is Onboarding.STARTED:
        return True
    return work is Work.READ and place is not Onboarding.DECLINED


def decide_step(place: Onboarding, seen: Seen, *, is_read: bool) -> Step:
    """What to do about a repository now. `is_read`: its history was gone through, so the report can be written.

    The file on the default branch is a yes however it came there. Permission that was taken back before the pull
    request stood leaves the repository as any other is.
    """
    merged = seen.pull is not None and seen.pull.is_merged
    if place is Onboarding.STARTED or seen.has_policy or merged:
        return Step(to=Onboarding.STARTED)
    if seen.pull is not None:
        if seen.pull.is_open:
            return Step(to=Onboarding.OPEN)
        return Step(to=Onboarding.DECLINED, say_declined=True)
    if not seen.may_propose:
        return Step(to=Onboarding.STARTED)
    if is_read:
        return Step(to=Onboarding.OPEN, propose=True)
    return Step(to=Onboarding.DUE)


def new_file_link(git_url: str, repository: str, branch: str) -> str:
    """GitHub's page for a new file, filled in: whoever follows it proposes the file under their own name."""
    filled = urlencode({"filename": POLICY_PATH, "value": POLICY_TEXT})
    return f"{git_url.rstrip('/')}/{quote(repository)}/new/{quote(branch)}?{filled}"
