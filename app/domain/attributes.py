"""What owners say of files in `.gitattributes`: `linguist-generated` and `-vendored`, as GitHub reads them. Pure.

Only the file at the repository's root is read. Patterns are git's own (pathspec), with the two ways in which attributes
differ from `.gitignore`: a pattern never means what lies below a folder that it names, and none is negative.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from app.domain.globs import AtomicPattern
from app.domain.review_policy import STARS

ATTRIBUTES_PATH = ".gitattributes"
#: Lines of the file that are read.
_MOST_LINES = 2_000
_LONGEST_PATTERN = 300
_NAMES: dict[str, Literal["generated", "vendored"]] = {
    "linguist-generated": "generated",
    "linguist-vendored": "vendored",
}
_FALSE = frozenset({"false", "0", "no", "off"})
Mark = Literal["generated", "vendored"]


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    mark: Mark
    holds: bool


class Attributes:
    """The marks of a repository's files; the last line that fits a file is what holds, as in git."""

    def __init__(self, rules: Iterable[_Rule] = ()) -> None:
        self._rules = tuple(rules)

    def decide(self, path: str) -> Mark | None:
        """What the owners call the file."""
        return next((mark for mark in ("generated", "vendored") if self._last(path, mark)), None)

    def denies(self, path: str, mark: str) -> bool:
        """Whether the owners say that the file is not what its name looks like."""
        return self._last(path, mark) is False

    def _last(self, path: str, mark: str) -> bool | None:
        fitting = (rule.holds for rule in reversed(self._rules) if rule.mark == mark and _fits(rule.pattern, path))
        return next(fitting, None)


#: Of a repository whose owners say nothing.
NO_ATTRIBUTES = Attributes()


def parse_attributes(text: str) -> Attributes:
    """Lines that git could not read, or that cost too much to match, say nothing: this file is not ours to refuse."""
    return Attributes(rule for line in text.splitlines()[:_MOST_LINES] for rule in _parse_line(line))


def _parse_line(line: str) -> Iterable[_Rule]:
    words = line.split()
    if len(words) < 2 or words[0].startswith(("#", "!", "[attr]", '"')) or words[0].endswith("/"):
        return
    if words[0].count("*") > STARS or len(words[0]) > _LONGEST_PATTERN:
        return
    marks = [found for word in words[1:] if (found := _parse_mark(word))]
    if not marks:
        return
    try:
        pattern, _ = AtomicPattern.pattern_to_regex(words[0])
    except ValueError:
        return
    if pattern is not None:
        compiled = re.compile(pattern)
        yield from (_Rule(compiled, mark, holds) for mark, holds in marks)


def _parse_mark(word: str) -> tuple[Mark, bool] | None:
    """`name`, `-name`, `!name` or `name=value`."""
    name, _, value = word.lstrip("-!").partition("=")
    if name not in _NAMES:
        return None
    return _NAMES[name], not word.startswith(("-", "!")) and value.lower() not in _FALSE


def _fits(pattern: re.Pattern[str], path: str) -> bool:
    """pathspec names the slash behind a folder that a pattern fits: git marks nothing that lies below it."""
    found = pattern.match(path)
    return found is not None and not found.groupdict().get("ps_d")
