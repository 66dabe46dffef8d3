"""What a review says: Findings, and the fingerprint that recognises one again after the code moved."""

import hashlib
import re
from typing import Literal

from app.domain.base import Record

#: What every fingerprint begins with.
FINGERPRINT = "fp1:"
Severity = Literal["nit", "minor", "major"]


class Finding(Record):
    """One comment on one line of the new side, with the scores that let it through."""

    repository: str
    pull_request: int
    path: str
    line: int
    start_line: int | None = None
    body: str
    severity: Severity
    fingerprint: str
    locator_score: float
    acceptance_score: float
    adapter: str
    #: `finding_words`; None on those that were drafted before dismissals were remembered
    words: str | None = None
    #: what may stand in the place of lines start_line..line, whole lines; an empty text takes them away
    replacement: str | None = None

    @property
    def place(self) -> str:
        """`line 3` or `lines 3 to 5`."""
        return f"line {self.line}" if self.start_line is None else f"lines {self.start_line} to {self.line}"


def finding_words(line_text: str, body: str) -> str:
    """The line's words and the comment's, wherever they stand: what was dismissed once is known again by these."""
    return f"fw1:{_digest(line_text, body)}"


def finding_fingerprint(path: str, line_text: str, body: str) -> str:
    """Stable over line moves and rebases: the file, the line's words and the comment's words, no numbers."""
    return f"{FINGERPRINT}{_digest(line_text, body, path)}"


def _digest(line_text: str, body: str, *before: str) -> str:
    words = [*before, *(re.sub(r"\s+", " ", part).strip().lower() for part in (line_text, body))]
    return hashlib.blake2b("\0".join(words).encode(), digest_size=12).hexdigest()


def decide_severity(body: str) -> Severity:
    """What the words themselves claim; a human reviewer's habit is to say 'nit' when it is one."""
    text = body.lstrip("*_ ").lower()
    if re.match(r"(nit|nitpick|minor|optional)\b", text):
        return "nit"
    return "major" if re.search(r"\b(must|never|security|data loss|crash|leak)\b", text) else "minor"
