"""Suggested changes: only those are posted that a button press would apply cleanly. Pure.

GitHub puts the text of a `suggestion` block in the place of whole lines, whatever it is. So it must stand for exactly
the lines that it replaces: not more, not less, with their indentation. What does not is left out, and the comment
stays as words. The rules follow what other reviewers' authors learned (PR-Agent drops what is the same and what brings
back removed code), and are strict: a wrong button costs more trust than a missing one.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from app.domain.diff import Hunk
from app.domain.prompt import LINE_WIDTH
from app.domain.safe_markdown import is_suggestible

#: Lines that a range holds at most, and lines that may stand in their place.
RANGE_LINES = 20
REPLACEMENT_LINES = 30
#: Said over a block whose comment had no words of its own.
NO_WORDS = "Suggested change:"
Fault = Literal["range", "long", "cut", "fence", "same", "indent", "overlap", "restores", "link"]
_BLOCK = re.compile(r"^[ \t]*```suggestion[^\S\n]*\n(?P<text>(?:(?![ \t]*```).*\n)*)[ \t]*```[ \t]*$", re.MULTILINE)
_OPENING = re.compile(r"(`{3,}|~{3,})\s*suggestion", re.IGNORECASE)
#: Addresses, those too that leave out the scheme.
_URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}:)?//[\w-]+(?:[.:][\w-]+)+[^\s<>\"'`)\]]*|\b[a-z][a-z0-9+.-]{1,20}://\S+",
    re.IGNORECASE,
)
#: What a program takes for one besides: a number, a host with a path, a person at a host, a scheme without slashes; and
#: text that goes to a shell.
_REACHED = re.compile(
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[\w-]+(?:\.[\w-]+)+/[^\s\"'`)]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)*[.:][\w-]+"
    r"|\b(?:https?|ftp|ssh|git|file|data|javascript):[^\s\"'`)]+|\|\s*(?:sudo\s+)?(?:[a-z]{0,3}sh|python\d?|perl|ruby)\b",
    re.IGNORECASE,
)


class Split(NamedTuple):
    """A comment's words, the text of its one suggestion block, and whether there was a block at all."""

    words: str
    replacement: str | None
    had_block: bool


def split_suggestion(comment: str) -> Split:
    """A comment as people write them on GitHub; with more than one block nobody knows which is meant, so none is."""
    comment = comment.replace("\r\n", "\n")
    if not _OPENING.search(comment):
        return Split(comment, None, had_block=False)
    blocks = list(_BLOCK.finditer(comment))
    words = _BLOCK.sub("\n", comment)
    clear = len(blocks) == 1 and not _OPENING.search(words)
    if not clear:
        words = _OPENING.split(words)[0]
    replacement = blocks[0]["text"].removesuffix("\n") if clear else None
    return Split(re.sub(r"\n{3,}", "\n\n", words).strip(), replacement, had_block=True)


def is_range(hunk: Hunk, first: int, last: int) -> bool:
    """Whether the lines stand one after another on the new side of this hunk, two of them at least."""
    shown = _new_side(hunk)
    return first < last < first + RANGE_LINES and all(number in shown for number in range(first, last + 1))


def find_fault(hunk: Hunk, first: int, last: int, replacement: str) -> Fault | None:
    """Why the text can't stand in the place of lines first..last of the head; None when it applies cleanly.

    An empty text takes the lines away.
    """
    shown = _new_side(hunk)
    if first not in shown or (first != last and not is_range(hunk, first, last)):
        return "range"
    replaced = [shown[number] for number in range(first, last + 1)]
    lines = replacement.split("\n") if replacement else []
    faults: dict[Fault, bool] = {
        "long": len(lines) > REPLACEMENT_LINES,
        "cut": any(len(line) > LINE_WIDTH for line in replaced),
        "fence": not is_suggestible(replacement),
        "same": [line.rstrip() for line in lines] == [line.rstrip() for line in replaced],
        "indent": not _keeps_indentation(replaced, lines),
        "overlap": _repeats(lines, shown.get(first - 1), 0) or _repeats(lines, shown.get(last + 1), -1),
        "restores": _restores(hunk, lines),
        "link": not _addresses(replacement) <= _addresses("\n".join(replaced)),
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _addresses(text: str) -> set[str]:
    return {*_URL.findall(text), *_REACHED.findall(text)}


def _new_side(hunk: Hunk) -> dict[int, str]:
    return {line.new: line.text for line in hunk.lines if line.new is not None}


def _keeps_indentation(replaced: Sequence[str], lines: Sequence[str]) -> bool:
    """It begins where the replaced lines begin, never stands left of them, and brings no other kind of blank."""
    before = [_indent(line) for line in replaced if line.strip()]
    after = [_indent(line) for line in lines if line.strip()]
    if not after:
        return True
    if not before or after[0] != before[0]:
        return False
    least = min(before, key=len)
    kinds = set("".join(before))
    return all(one.startswith(least) for one in after) and (not kinds or set("".join(after)) <= kinds)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _repeats(lines: Sequence[str], neighbour: str | None, at: int) -> bool:
    """The text holds the line beside the range, too: applied, it would stand there twice. Brackets often do."""
    if not lines or neighbour is None or not any(unicodedata.category(char)[0] == "L" for char in neighbour):
        return False
    return lines[at].strip() == neighbour.strip()


def _restores(hunk: Hunk, lines: Sequence[str]) -> bool:
    removed = {line.text.strip() for line in hunk.lines if line.kind == "removed"}
    said = [line.strip() for line in lines if line.strip()]
    return bool(said) and all(line in removed for line in said)
