"""What happened around a comment and may go on happening: kept beside an Example, never part of its content hash."""

import re
from typing import Literal

from pydantic import Field

from app.domain.base import Record


class Replies(Record):
    """Replies of people other than commands to us. `author_done`, `author_pushback`: what the author's own say."""

    count: int = 0
    author_done: int = 0
    author_pushback: int = 0


class Signals(Record):
    """Each by itself: no label is made of them here. `reactions` counts those on the comment, by GitHub's names.

    `resolved_by` is a part, not a login: a bystander's name beside every Example would have to be erased with them.
    """

    resolved: bool = False
    resolved_by: Literal["author", "reviewer", "other"] | None = None
    outdated: bool = False
    reactions: dict[str, int] = Field(default_factory=dict)
    replies: Replies = Replies()
    reviewer_association: str = "NONE"


_DONE = re.compile(
    r"^\W*(done|fixed|addressed|updated|changed|renamed|removed|added|applied|good (catch|point|call|idea)|nice catch|"
    r"(you('re| are) )?right|agreed?|will (do|fix)|sure|ok(ay)?|makes sense|oops|my bad|\+1|👍|✅)(?![\w'-])",
    re.IGNORECASE,
)
_PUSHBACK = re.compile(
    r"^\W*(no\b(?! (problem|worries))|nope|not (sure|really|convinced|needed|necessary)|i (don'?t|do not) (think|agree|"
    r"see)|(i )?disagree|i('d| would) (rather|prefer)|but\b|why\b|won'?t (fix|do)|wontfix|out of scope|intentional|"
    r"this is (intended|intentional|by design)|that'?s (intended|intentional|by design))",
    re.IGNORECASE,
)


def decide_reply(body: str) -> str:
    """`done`, `pushback` or `other`, from how a reply of the pull request's author begins. Narrow on purpose."""
    lines = (line.strip() for line in body.splitlines())
    opening = next((line for line in lines if line and not line.startswith(">")), "")
    if _PUSHBACK.match(opening):
        return "pushback"
    return "done" if _DONE.match(opening) else "other"
