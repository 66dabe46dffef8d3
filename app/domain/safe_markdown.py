"""What a model wrote, made harmless before it is posted under our name.

Covered: images, links, autolinks, raw HTML and HTML comments, mentions, issue references, tables, formulas, suggestion
blocks, control, bidi, zero-width and tag characters. Not covered: whether the words are true or kind.

The method is an allow-list. The one markup let through is code within one line between single backticks; fences lose
theirs, for where a fence ends is the very thing that renderers and filters see differently. Everything else is prose,
in which every character that could start markup is written as an entity, the backslash that could undo a backtick too.
Mentions are broken with a zero-width space as Renovate does it.

Our own suggestion block is written apart from the words (`render_suggestion`), of a text that can't end it.
"""

import re
import unicodedata

_INVISIBLE = frozenset(["Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"])
#: Shown as nothing although they are letters or marks: Hangul fillers and variation selectors. U+FE0F stays where it
#: belongs, behind the sign whose colour it asks for.
_BLANK = re.compile(
    r"[\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]|(?<![\u203c-\u3299\U0001f000-\U0001faff])\ufe0f"
)
_UNSUGGESTED = _INVISIBLE | {"Zs"}
_FENCE = re.compile(r"`{2,}|~{3,}")
_ANY_FENCE = re.compile(r"`{3,}|~{3,}")
_CODE = re.compile(r"(`[^`\n]+`)")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:)[^\s<>)\]]*", re.IGNORECASE)
_REFERENCE = re.compile(r"(?<=[#@])(?=\w)|(?<=gh-)(?=\d)", re.IGNORECASE)
_BLOCK_MARK = re.compile(r"(?m)^(\s{0,3})([=+*~-]{3,}|#{1,6}(?=\s))")
#: A table's second row. It makes the row over it and all that follow cells, which are cut apart before code is read.
_TABLE_MARK = re.compile(r"(?m)^([ \t]*)(:?-+:?[ \t]*)$")
_MATH_MARK = re.compile(r"(?<=\$)(?=`)|(?<=`)(?=\$)")
_ZERO_WIDTH = "\u200b"
_ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    "[": "&#91;",
    "]": "&#93;",
    "&": "&amp;",
    "\\": "&#92;",
    "|": "&#124;",
    _ZERO_WIDTH: "&#8203;",
}
LINK_REMOVED = "(link removed)"


def render_safe_markdown(text: str) -> str:
    """Plain words and short code; everything that could load, link, notify or hide is gone."""
    visible = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE)
    parts = _CODE.split(_FENCE.sub(" ", _BLANK.sub("", visible)))
    joined = "".join(part if index % 2 else _prose(part) for index, part in enumerate(parts))
    return _MATH_MARK.sub(_ENTITIES[_ZERO_WIDTH], _TABLE_MARK.sub(r"\1\\\2", joined)).strip()


def _prose(part: str) -> str:
    without_links = _URL.sub(LINK_REMOVED, _LINK.sub(r"\1", part)).replace("`", "'")
    # Broken before escaping: our own numeric entities hold a '#' too.
    unreferenced = _REFERENCE.sub(_ZERO_WIDTH, without_links)
    escaped = "".join(_ENTITIES.get(char, char) for char in unreferenced)
    return _BLOCK_MARK.sub(r"\1\\\2", escaped)


def is_suggestible(text: str) -> bool:
    """Whether the text can stand in a suggestion block: nothing that could end it, nothing that shows as nothing or as
    another blank than it is."""
    hidden = any(char not in "\n\t " and unicodedata.category(char) in _UNSUGGESTED for char in text)
    return not (hidden or _BLANK.search(text) or _ANY_FENCE.search(text))


def render_suggestion(text: str) -> str:
    """The block that GitHub shows with a button, which puts the text in the place of the commented lines. Empty: they
    go.

    Raises:
        ValueError: when the text is not suggestible.
    """
    if not is_suggestible(text):
        raise ValueError("expected the lines of a suggestion without fences and hidden characters")
    return f"```suggestion\n{text}\n```" if text else "```suggestion\n```"


def render_safe_code(text: str, limit: int) -> str:
    """One line as a code span of at most `limit` characters: a path or a login, which no renderer reads as markup."""
    visible = "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE).replace("`", "'")
    shown = " ".join(visible.split()) or "?"
    return f"`{shown if len(shown) <= limit else shown[: limit - 1] + '…'}`"
