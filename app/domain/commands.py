"""What people tell Understudy in a reply on a review thread: one line, at the very beginning of the comment. Pure.

Only the first line counts, so that a quotation, a code block or our own help text is never taken for a command.
"""

import re
from enum import StrEnum

from app.domain.base import Record

PREFIX = "/understudy"
_COMMAND = re.compile(rf"\A\s*{PREFIX}(?:[ \t]+(?P<verb>\S+)(?P<words>[^\n]*))?[ \t]*(?:\r?\n|\Z)", re.IGNORECASE)
#: Characters of a reason that are kept.
_LONGEST_REASON = 300


class Verb(StrEnum):
    """`UNKNOWN` is anything else that was addressed to us."""

    KEEP = "keep"
    DROP = "drop"
    WHY = "why"
    UNKNOWN = "unknown"


class Command(Record):
    """`reason` is what follows the verb on its line, cut to 300 characters."""

    verb: Verb
    reason: str = ""


def parse_command(body: str) -> Command | None:
    """The command a comment begins with, None when it is an ordinary comment."""
    match = _COMMAND.match(body)
    if match is None:
        return None
    try:
        verb = Verb((match["verb"] or "").lower())
    except ValueError:
        verb = Verb.UNKNOWN
    return Command(verb=verb, reason=(match["words"] or "").strip()[:_LONGEST_REASON])
