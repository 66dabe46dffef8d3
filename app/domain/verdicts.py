"""A Verdict: what became of one PostedFinding, from signs that are kept apart and never merged into one label. Pure.

Signs are what people said and did (reactions, replies, the resolved thread, a dismissal) and what git says of the line.
"""

from enum import StrEnum
from typing import Literal

from app.domain.base import Record
from app.domain.examples import Evidence
from app.domain.signals import decide_reply

Answer = Literal["acknowledged", "pushback", "question", "other"]
_BY_REPLY: dict[str, Answer] = {"done": "acknowledged", "pushback": "pushback"}


class Verdict(StrEnum):
    """`UNKNOWN` says that nothing can be said yet, or ever."""

    ADDRESSED = "addressed"
    DISMISSED = "dismissed"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


class Answers(Record):
    """Replies of the team and of the pull request's author, by how they begin; commands to us are none."""

    acknowledged: int = 0
    pushback: int = 0
    question: int = 0
    other: int = 0


class Feedback(Record):
    """The signs around one PostedFinding, or one that was held back, which has `change` and `state` only.

    `thumbs_*` count people with write access. `resolved_by` is a part, not a login. `change`: git's word on the line
    between the reviewed commit and the pull request's head. `gone`: our comment was deleted on GitHub.
    """

    thumbs_up: int = 0
    thumbs_down: int = 0
    answers: Answers = Answers()
    resolved: bool = False
    resolved_by: Literal["author", "other"] | None = None
    change: Evidence = Evidence.UNKNOWN
    dismissed: bool = False
    dismissed_with_reason: bool = False
    gone: bool = False
    state: Literal["open", "merged", "closed"] = "open"

    @property
    def is_changed(self) -> bool | None:
        """Whether the very line changed; None when git cannot tell. The measure that needs no comment to be posted."""
        if self.change is Evidence.UNKNOWN:
            return None
        return self.change in _AT_LINE

    @property
    def is_false_alarm(self) -> bool:
        """Somebody said that it is wrong: dismissed with a reason, or more thumbs down than up."""
        return self.dismissed_with_reason or self.thumbs_down > self.thumbs_up


_AT_LINE = (Evidence.LINE, Evidence.SUGGESTION_APPLIED)


def decide_answer(body: str) -> Answer:
    """As `decide_reply` hears the replies on people's threads; what it cannot place is a question if it asks one."""
    found = _BY_REPLY.get(decide_reply(body))
    if found is not None:
        return found
    lines = [line.strip() for line in body.splitlines() if line.strip() and not line.lstrip().startswith(">")]
    return "question" if any(line.endswith("?") for line in lines) else "other"


def decide_verdict(signs: Feedback) -> Verdict:
    """What the signs say together. Acts go before words, people's words before git, and silence decides at the merge.

    1. Dismissed by command, or deleted: dismissed. 2. Our suggestion stands in the code: addressed.
    3. More thumbs down than up, or more push-back than acknowledgement: dismissed, for a changed line proves least
       where people object. 4. The line changed: addressed. On comments of machines this alone was right in 56 % of
       689 judged by their words, so what posting is worth is told by the comparison with the pull requests held back.
    5. A line within three changed and somebody acknowledged it, thumbed it up or resolved the thread: addressed.
    6. Merged, git sees no change there, and nobody acknowledged it: ignored. Anything else is unknown.
    """
    if signs.dismissed or signs.gone:
        return Verdict.DISMISSED
    if signs.change is Evidence.SUGGESTION_APPLIED:
        return Verdict.ADDRESSED
    if _is_objected(signs):
        return Verdict.DISMISSED
    if signs.change is Evidence.LINE or (signs.change is Evidence.NEAR and _is_welcomed(signs)):
        return Verdict.ADDRESSED
    is_left = signs.change in (Evidence.NEAR, Evidence.FILE, Evidence.UNCHANGED)
    if signs.state == "merged" and is_left and not signs.answers.acknowledged:
        return Verdict.IGNORED
    return Verdict.UNKNOWN


def _is_objected(signs: Feedback) -> bool:
    return signs.thumbs_down > signs.thumbs_up or signs.answers.pushback > signs.answers.acknowledged


def _is_welcomed(signs: Feedback) -> bool:
    return bool(signs.answers.acknowledged or signs.thumbs_up > signs.thumbs_down or signs.resolved)
