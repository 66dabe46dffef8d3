"""Files that look as if nobody wrote them, by what stands in them: generated headers and minified text. Pure.

The rules are GitHub linguist's (`lib/linguist/generated.rb`), narrowed to those that need only a file's first lines or
its added ones, and to headers that are one: a line that begins with the words. There is no Python package of them that
is kept up. All of it is the pull request's own word: it leaves a file out, and never leaves the check green.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from app.domain.diff import FileDiff

#: Lines from the top in which a header is looked for.
HEADER_LINES = 20
#: Characters of a line that are looked at: a header is short, and a minified line has a million.
_LOOKED_AT = 400
#: A script or style sheet is called minified from this average on (linguist's), over this many added lines at least, or
#: when one line is longer than any that people write.
_MINIFIED_AVERAGE = 110
_AVERAGED_LINES = 5
_LONGEST_WRITTEN = 1_000
_MINIFIABLE = (".js", ".mjs", ".cjs", ".css")
_COMMENT = re.compile(r"^\s*(//|#|/?\*|<!--|--|;|\"\"\"|'''|%|@generated\b)")
_ASKS = r"\bdo(?:n't| not) (?:edit|modify)\b"
_THIS_FILE = r"th(?:is|e) (?:file|code|class|module|source|document)\b(?: \w+){0,2}? "
_SAYS_SO = re.compile(
    r"\W*(?:(?:warning|note|notice)\W+)?(?:"
    rf"(?:{_THIS_FILE})?(?:code |auto(?:matically)?[- ]?|machine[- ]?)?generated\b.{{0,200}}{_ASKS}|"
    rf"(?:please )?{_ASKS}.{{0,120}}(?:\b(?:auto(?:matically)?|machine|is|was|code)[- ]?|[^\w\s]\s*)generated\b|"
    rf"(?:{_THIS_FILE})?(?<=[\s*/#])@generated\b|"
    r"(?<=<)auto-?generated\b)|@generated\b",
    re.IGNORECASE,
)
Look = Literal["says_generated", "looks_minified"]


def is_generated_text(lines: Sequence[str]) -> bool:
    """Whether a comment among the first lines of a file says, on one line, that a program wrote it and people must not
    edit it."""
    shown = (line[:_LOOKED_AT] for line in lines[:HEADER_LINES])
    return any(_COMMENT.match(line) and _SAYS_SO.match(line) for line in shown)


def decide_unwritten(diff: FileDiff) -> Look | None:
    """By what the diff shows of the file; None when people may have written it."""
    if is_generated_text(_top(diff)):
        return "says_generated"
    added = [line.text for _, line in diff.added()]
    return "looks_minified" if _is_minified(diff.path, added) else None


def _top(diff: FileDiff) -> list[str]:
    """The file's first lines as they will be, as far as the diff shows them without a gap."""
    known = {
        line.new: line.text for hunk in diff.hunks[:2] for line in hunk.lines if line.new and line.new <= HEADER_LINES
    }
    return list(_from_the_first(known))


def _from_the_first(known: dict[int, str]) -> Iterable[str]:
    number = 1
    while number in known:
        yield known[number]
        number += 1


def _is_minified(path: str, added: Sequence[str]) -> bool:
    if not path.lower().endswith(_MINIFIABLE):
        return False
    lengths = [len(line) for line in added]
    is_wide = len(lengths) >= _AVERAGED_LINES and sum(lengths) > _MINIFIED_AVERAGE * len(lengths)
    return is_wide or max(lengths, default=0) > _LONGEST_WRITTEN
