"""What the onboarding pull request says. Pure: our own words and numbers, nothing that anybody else wrote."""

from collections.abc import Mapping

from app.domain.base import Record
from app.domain.onboarding import DECLINED_MARKER, MARKER
from app.domain.policies import POLICY_PATH

TITLE = "Let Understudy learn from this repository's reviews"
COMMIT_MESSAGE = "Say what Understudy may do here"


class Rehearsed(Record):
    """What reading the history found. `pulls` merged ones were read; `examples` by what git shows of them, `rejections`
    by reason: words of our own code."""

    pulls: int
    examples: Mapping[str, int]
    rejections: Mapping[str, int]


_EVIDENCE = {
    "suggestion_applied": "the suggested change was taken over",
    "line": "that very line was changed afterwards",
    "near": "a line close by was changed",
    "file": "the file was changed elsewhere",
    "unchanged": "nothing was changed",
    "unknown": "it can't be told any more",
}


def render_proposal(found: Rehearsed) -> str:
    """The pull request's text."""
    return f"""\
{MARKER}
Understudy learns to review code the way your team does, on the machine of whoever runs it. **Until you merge this it
does nothing here**: no comment, no check, no answer, nothing learned. It only read what was merged, to tell you what is
below.

### What it will do once this is merged
- Read every merged pull request: review comments, the code they stand on, and whether it was changed afterwards.
- Offer comments as examples. Nobody but people with write access lets them in, with the label `understudy:approve`.
- Train on this installation's approved examples alone, prove on held-out reviews that it got better, and only then
  review: one review for each head commit, three comments at most, and one check run that says what was read. It never
  approves or merges.

### What it stores
Review comments, the hunks they stand on, logins, and commits, where the service runs. Secrets and personal data are
kept out. Whoever is named under `opt_out` is left out, and everything of a person, a pull request or this repository
can be erased, down to the weights.

### What it found here
{_render_found(found)}

### The configuration
This pull request adds `{POLICY_PATH}`. It holds the defaults; change it in this branch or later.

**Merge** it to begin. **Close** it and Understudy stays silent here; reopening it asks again. To end it altogether,
take this repository out of the App's installation: what was read is then erased.
"""


def _render_found(found: Rehearsed) -> str:
    examples, refused = sum(found.examples.values()), sum(found.rejections.values())
    if not examples and not refused:
        return f"{found.pulls} merged pull requests were read. None has a review comment to learn from yet."
    lines = [
        f"{found.pulls} merged pull requests were read, with {examples + refused} threads of review comments. "
        f"**{examples} could become examples**; {refused} could not.",
        "",
        "| what became of the code | comments |",
        "|---|---:|",
        *(f"| {_EVIDENCE[key]} | {found.examples[key]} |" for key in _EVIDENCE if found.examples.get(key)),
    ]
    if refused:
        ordered = sorted(found.rejections.items(), key=lambda item: (-item[1], item[0]))
        lines += ["", "| left out because | threads |", "|---|---:|"]
        lines += [f"| {reason.replace('_', ' ')} | {count} |" for reason, count in ordered]
    return "\n".join(lines)


def render_declined() -> str:
    """Said once, under the pull request that was closed."""
    return (
        f"{DECLINED_MARKER}\nUnderstudy stays silent here and reads nothing more. Reopen this pull request to be asked "
        "again; take this repository out of the App's installation to have erased what was read."
    )
