"""Comments that speak of code nobody showed the model: what it says of that it made up. Pure.

People name unseen code all the time: of comments written by people of three teams, 13 to 24 in a hundred name something
in code style that neither the lines around nor the team's earlier reviews hold, most often the very name they wish for.
So a name alone is no claim. Dropped are the claims that need the unseen code to be true: a line's number, a file, where
something is defined, that it is defined nowhere. Of people's comments that is 0 to 3 in a hundred, as measured in
docs/reviewing.md.
"""

import re
from collections.abc import Iterable

#: Characters of a comment that are looked at.
_LOOKED_AT = 4_000
_NAME = re.compile(r"[A-Za-z_]\w+")
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://\S+", re.IGNORECASE)
_FILE = re.compile(
    r"(?<![\w./-])((?:[\w-]{1,60}/){0,12}[\w-][\w.-]{0,80}\.(?:py|pyi|java|kt|scala|go|rs|rb|php|cs|c|cc|cpp|h|hpp|js|jsx|"
    r"mjs|ts|tsx|css|html|xml|ya?ml|json|toml|md|rst|gradle|properties|sql|sh|proto|swift))\b(?![\w(])",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"\blines?\s+#?(\d{1,7})(?:\s*(?:-|–|to|and|~)\s*(\d{1,7}))?|(?<![\w#])(?-i:L)(\d{2,7})\b", re.IGNORECASE
)
_SOMETHING = r"(?:the\s+)?(?:class\s+|file\s+|method\s+|module\s+)?(?:`([^`\n]{1,120})`|([A-Za-z_][\w.]{1,80})\()"
_ELSEWHERE = re.compile(
    r"\b(?:(?:re)?defined|declared|implemented|called|used|exists?|handled|checked)\s+(?:already\s+)?(?:in|by|at|inside)\s+"
    + _SOMETHING,
    re.IGNORECASE,
)
_NOWHERE = re.compile(
    r"\b(?:is|are|was)(?:\s+not|n't|\s+never)\s+(?:defined|declared|imported)\b|"
    r"\b(?:nowhere|elsewhere|somewhere else)\b",
    re.IGNORECASE,
)


def find_unseen(comment: str, shown: str, vocabulary: frozenset[str] = frozenset(), numbers: Iterable[int] = ()) -> str:
    """What the comment claims of code that was not shown, in its own words, or an empty text.

    `shown`: what the model was shown of the change; `vocabulary`: names that this team uses in its reviews; `numbers`:
    of lines that the model was shown as such.
    """
    words = _ADDRESS.sub(" ", _FENCED.sub(" ", comment[:_LOOKED_AT]))
    known = collect_names([shown]) | vocabulary
    return (
        _find_line(words, frozenset(numbers))
        or _find_file(words, known)
        or _find_elsewhere(words, known)
        or _find_nowhere(words)
    )


def collect_names(texts: Iterable[str]) -> frozenset[str]:
    """Every word that could be a name in code."""
    return frozenset(name for text in texts for name in _NAME.findall(text))


def _find_line(words: str, numbers: frozenset[int]) -> str:
    for found in _LINE.finditer(_CODE.sub(" ", words)):
        if not all(int(number) in numbers for number in found.groups() if number):
            return found[0]
    return ""


def _find_file(words: str, known: frozenset[str]) -> str:
    for found in _FILE.finditer(words):
        if not collect_names([found[1].rpartition("/")[2].rpartition(".")[0]]) <= known:
            return found[0]
    return ""


def _find_elsewhere(words: str, known: frozenset[str]) -> str:
    for found in _ELSEWHERE.finditer(words):
        if not collect_names([found[1] or found[2]]) <= known:
            return found[0]
    return ""


def _find_nowhere(words: str) -> str:
    """That something is missing in code can only be said by who saw all of it."""
    found = _NOWHERE.search(_CODE.sub(" ", words))
    return found[0] if found else ""
