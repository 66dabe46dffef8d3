"""Patterns as `.gitignore` writes them, matched without trying the same thing twice. Pure.

pathspec turns a pattern into a regular expression in which every star may give back what it took: eight stars and a
name of sixty letters took 22 s, and both are chosen by strangers. Here every star but a name's last, and every `**` but
a pattern's last, takes the first place that fits and stays there (an atomic group). The answers are the same: what the
next star covers can always begin earlier. That holds while no class fits a slash, and in git none does.
"""

import re

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

#: How pathspec 1.1 spells what it makes of a pattern. Its own escapes never yield these texts: each holds a slash, and
#: no class or escaped letter does.
_OPENING = "^(?:.+/)?"
_INNER = "(?:/.+)?"
_STAR = "[^/]*"
_ENDINGS = ("(?:(?P<ps_d>/)|$)", "(?P<ps_d>/)", "/")
_PIECE = re.compile(r"(?P<slash>/)|\[\^/\][*+]?|(?P<class>\[\^?\]?[^\]]*\])|\\.|.", re.DOTALL)


class AtomicPattern(GitIgnoreSpecPattern):
    """pathspec's pattern, in time that grows with the path's length times the pattern's."""

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        """The expression and whether it takes files in; (None, None) for what means nothing.

        Raises:
            ValueError: when git could not read the pattern either.
        """
        regex, include = super().pattern_to_regex(pattern)
        if regex is None:
            return None, None
        regex = _make_atomic(regex)
        try:
            re.compile(regex)
        except re.error as error:
            raise ValueError(f"expected a pattern as .gitignore writes them, got {pattern!r}: {error}") from error
        return regex, include


def parse_patterns(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """Raises:
    ValueError: when git could not read one of them either.
    """
    return GitIgnoreSpec.from_lines(lines, AtomicPattern, backend="simple")


def _make_atomic(regex: str) -> str:
    ending = next((one for one in _ENDINGS if regex.endswith(one)), None)
    if not regex.startswith("^") or ending is None:
        return regex
    is_floating = regex.startswith(_OPENING)
    body = regex.removeprefix(_OPENING if is_floating else "^").removesuffix(ending)
    first, *others = (_rewrite(chunk) for chunk in body.split(_INNER))
    lead = rf"(?:.+/)?{first}" if is_floating else first
    if is_floating and others:
        lead = rf"(?>(?:.+?/)??{first}(?=/))"
    middle = [rf"(?>(?:/.+?)??{chunk}(?=/))" for chunk in others[:-1]]
    last = [f"{_INNER}{chunk}" for chunk in others[-1:]]
    # A name may hold line ends: `.` takes them, and the end is the very end.
    closing = ending.replace("$", r"\Z")
    return f"(?s:\\A{lead}{''.join([*middle, *last])}{closing})"


def _rewrite(chunk: str) -> str:
    """Names between slashes, each with all but its last star made atomic."""
    names: list[list[str]] = [[""]]
    for piece in _PIECE.finditer(chunk):
        if piece["slash"]:
            names.append([""])
        elif piece[0] == _STAR:
            names[-1].append("")
        else:
            names[-1][-1] += _rewrite_class(piece[0]) if piece["class"] else piece[0]
    return "/".join(_join_stars(parts) for parts in names)


def _join_stars(parts: list[str]) -> str:
    """`parts`: what stands before, between and behind the stars of one name."""
    first, *others = parts
    middle = [f"(?>[^/]*?{part})" for part in others[:-1] if part]
    return "".join([first, *middle, *(f"{_STAR}{part}" for part in others[-1:])])


def _rewrite_class(text: str) -> str:
    """No class of git's fits a slash, and `[[` or `||` in one means nothing to it."""
    return "(?!/)[" + re.sub(r"[\[&|~]", r"\\\g<0>", text[1:])
