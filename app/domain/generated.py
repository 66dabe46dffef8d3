"""Files that nobody wrote, told by what stands in them: generated headers and minified text. Pure.

The rules are GitHub linguist's (`lib/linguist/generated.rb`), narrowed to those that need only a file's first lines or
its added ones. There is no Python package of them that is kept up.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from app.domain.diff import FileDiff

#: Lines from the top in which a header is looked for.
HEADER_LINES = 20
#: Characters of a line that are looked at: a header is short, and a minified line has a million.
_LOOKED_AT = 400
#: Characters of the average line from which linguist calls a script or style sheet minified.
_MINIFIED_AVERAGE = 110
_MINIFIABLE = (".js", ".mjs", ".cjs", ".css")
_COMMENT = re.compile(r"^\s*(//|#|/?\*|<!--|--|;|\"\"\"|'''|%|@generated\b)")
_SAYS_SO = re.compile(
    r"code generated\b.{0,120}\bdo not (edit|modify)|"
    r"\b(auto(matically)?[- ]?generated|machine[- ]generated|generated (by|from|with|file|code))\b.{0,200}"
    r"\bdo(n't| not) (edit|modify|change)|"
    r"\bdo(n't| not) (edit|modify|change)\b.{0,120}\b(auto(matically)?[- ]?)?generated\b|"
    r"<auto-?generated|(^|[\s*/#])@generated\b",
    re.IGNORECASE,
)


def is_generated_text(lines: Sequence[str]) -> bool:
    """Whether a comment among the first lines of a file says that a program wrote it and people must not."""
    shown = [line[:_LOOKED_AT] if _COMMENT.match(line[:_LOOKED_AT]) else "" for line in lines[:HEADER_LINES]]
    return any(_SAYS_SO.search(f"{one} {other}") for one, other in pairwise([*shown, ""]))


def decide_unwritten(diff: FileDiff) -> str | None:
    """`generated` or `minified` by what the diff shows of the file, None when people may have written it."""
    if is_generated_text(_top(diff)):
        return "generated"
    added = [line.text for _, line in diff.added()]
    return "minified" if _is_minified(diff.path, added) else None


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
    return path.lower().endswith(_MINIFIABLE) and sum(map(len, added)) > _MINIFIED_AVERAGE * max(1, len(added))
