"""What a model wrote, made harmless before it is posted under our name.

Covered: images, links and autolinks, raw HTML and HTML comments, mentions, issue references, control, bidi, zero-width
and tag characters, unbalanced code fences. Not covered: whether the words are true or kind.

The method is an allow-list: outside code every character that could start markup is written as an entity.
Mentions are broken with a zero-width space as Renovate does it.
"""

import re
import unicodedata

_INVISIBLE = frozenset(["Cf", "Cc", "Co", "Cs", "Cn"])
_CODE = re.compile(r"(```[^\n`]*\n.*?\n```|`[^`\n]+`)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_URL = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:)[^\s<>)\]]+", re.IGNORECASE)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "[": "&#91;", "]": "&#93;", "&": "&amp;", "\u200b": "&#8203;"}
_REFERENCE = re.compile(r"(?<=[#@])(?=\w)")
_BLOCK_MARK = re.compile(r"(?m)^(\s{0,3})([=+*~-]{3,}|#{1,6}(?=\s))")
_ZERO_WIDTH = "\u200b"
LINK_REMOVED = "(link removed)"


def render_safe_markdown(text: str) -> str:
    """Plain words and code; everything that could load, link, notify or hide is gone."""
    visible = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE)
    parts = _CODE.split(visible)
    return "".join(_code(part) if index % 2 else _prose(part) for index, part in enumerate(parts)).strip()


def _code(part: str) -> str:
    """A fence keeps its text but no info string beyond one word, so it can't become a suggestion or a diagram."""
    if not part.startswith("```"):
        return part
    body = part.split("\n", 1)[1]
    return f"```\n{body}"


def _prose(part: str) -> str:
    without_links = _URL.sub(LINK_REMOVED, _LINK.sub(r"\1", part)).replace("`", "'")
    # Broken before escaping: our own numeric entities hold a '#' too.
    unreferenced = _REFERENCE.sub(_ZERO_WIDTH, without_links)
    escaped = "".join(_ENTITIES.get(char, char) for char in unreferenced)
    return _BLOCK_MARK.sub(r"\1\\\2", escaped)
