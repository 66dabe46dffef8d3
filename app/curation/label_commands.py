"""How the labels come to be in a repository: GitHub offers only those that are there, and the App makes none. Pure."""

import shlex

from app.curation.decision import APPROVE_LABEL, PRIVATE_LABEL, REJECT_LABEL

#: GitHub takes 100 characters of a description.
_MADE = (
    (APPROVE_LABEL, "0e8a16", "Understudy may learn from this pull request"),
    (REJECT_LABEL, "b60205", "Understudy never learns from this pull request"),
    (PRIVATE_LABEL, "5319e7", "Understudy keeps nothing of this pull request"),
)
#: Where no repository is named.
ANY = "OWNER/NAME"


def render_label_commands(repository: str = ANY) -> tuple[str, ...]:
    """Lines for GitHub's own command line, one a label; again they change nothing but colour and words."""
    return tuple(
        f"gh label create {label} --repo {shlex.quote(repository)} --color {colour} --description {shlex.quote(words)} "
        "--force"
        for label, colour, words in _MADE
    )
