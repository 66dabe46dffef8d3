"""What people tell Understudy in a comment: one line, at the very beginning of it. Pure.

Only the first line counts, so that a quotation, a code block or our own help text is never taken for a command.
"""

import re
from enum import StrEnum

from app.domain.base import Record, content_hash

PREFIX = "/understudy"
_COMMAND = re.compile(
    rf"\A\s*{PREFIX}(?:[ \t]+(?P<verb>full[ \t]+review(?!\S)|\S+)(?P<words>[^\n]*))?[ \t]*(?:\r?\n|\Z)", re.IGNORECASE
)
#: Characters of a reason that are kept.
_LONGEST_REASON = 300


class Verb(StrEnum):
    """`UNKNOWN` is anything else that was addressed to us."""

    KEEP = "keep"
    DROP = "drop"
    WHY = "why"
    REVIEW = "review"
    FULL_REVIEW = "full review"
    PAUSE = "pause"
    RESUME = "resume"
    DISMISS = "dismiss"
    CONFIG = "config"
    HELP = "help"
    UNKNOWN = "unknown"


#: What decides over a thread, or asks what became of one: read together with all else that was said on it.
CURATING = frozenset({Verb.KEEP, Verb.DROP, Verb.WHY, Verb.UNKNOWN})


class Command(Record):
    """`reason` is what follows the verb on its line, cut to 300 characters."""

    verb: Verb
    reason: str = ""

    @property
    def key(self) -> str:
        """Tells this command from another that an edit put into the same comment."""
        return content_hash("cm1", [self.verb, self.reason]).split(":")[1][:12]


def parse_command(body: str) -> Command | None:
    """The command a comment begins with, None when it is an ordinary comment."""
    match = _COMMAND.match(body)
    if match is None:
        return None
    try:
        verb = Verb(" ".join((match["verb"] or "").lower().split()))
    except ValueError:
        verb = Verb.UNKNOWN
    return Command(verb=verb, reason=(match["words"] or "").strip()[:_LONGEST_REASON])
