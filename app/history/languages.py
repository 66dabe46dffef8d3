"""Which files have docstrings, how one opens, and the parser of each language: tree-sitter's own grammars (ADR 0008).

A line pattern only says where it is worth to parse; what is a docstring, and of which function, is told by the tree.
"""

import re
import threading
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from tree_sitter import Language as Grammar
from tree_sitter import Parser


class Style(StrEnum):
    """Where a docstring stands: first in the body, in a comment before the function, in a run of line comments."""

    FIRST_STRING = "first_string"
    BLOCK_COMMENT = "block_comment"
    LINE_COMMENTS = "line_comments"


class Language(NamedTuple):
    """`opens` matches the first line of a docstring; `added` finds one among the added lines of hunks.

    Its patterns begin with letters as they are, not with `^`, which the regex engine would try at every letter.
    """

    name: str
    style: Style
    opens: re.Pattern[bytes]
    added: re.Pattern[bytes]


_BLOCK = (re.compile(rb"[ \t]*/\*\*(?![*/])"), re.compile(rb"\n\+[ \t]*/\*\*(?![*/])"))
_STRING = (
    re.compile(rb"[ \t]*[rRuU]?[\"']"),
    # Only behind a line that ends in a colon, or whose predecessor the hunk does not show: strings open many lines.
    # How far it looks on is bounded: it begins at each of a stranger's colons.
    re.compile(
        rb"(?::[ \t]{0,100}+(?:#[^\n]{0,1000}+)?|^@@[^\n]*)\r?\n"
        rb"(?:[+ ][ \t]{0,100}+(?:#[^\n]{0,1000}+)?\r?\n){0,100}\+[ \t]*[rRuU]?[\"']",
        re.MULTILINE,
    ),
)
_LINES = (
    re.compile(rb"//"),
    re.compile(rb"\n\+//[^\n]*\n(?:[+ ]//[^\n]*\n){0,300}+[+ ]func\b"),
)
_LANGUAGES = {
    "python": Language("python", Style.FIRST_STRING, *_STRING),
    "java": Language("java", Style.BLOCK_COMMENT, *_BLOCK),
    "javascript": Language("javascript", Style.BLOCK_COMMENT, *_BLOCK),
    "typescript": Language("typescript", Style.BLOCK_COMMENT, *_BLOCK),
    "tsx": Language("tsx", Style.BLOCK_COMMENT, *_BLOCK),
    "go": Language("go", Style.LINE_COMMENTS, *_LINES),
}
_SUFFIXES = {
    "cjs": "javascript",
    "cts": "typescript",
    "go": "go",
    "java": "java",
    "js": "javascript",
    "jsx": "javascript",
    "mjs": "javascript",
    "mts": "typescript",
    "py": "python",
    "pyi": "python",
    "ts": "typescript",
    "tsx": "tsx",
}


def select_language(path: str) -> Language | None:
    """The language of a file by its name, None for those without docstrings that we read."""
    name = _SUFFIXES.get(path.rpartition(".")[2].lower()) if "." in path else None
    return None if name is None else _LANGUAGES[name]


def load_language(name: str) -> Language:
    """By the name of its grammar.

    Raises:
        KeyError: for a language that is not read.
    """
    return _LANGUAGES[name]


_OWN = threading.local()


def load_parser(name: str) -> Parser:
    """One per thread: it may be used again, but not by two threads at once."""
    parsers: dict[str, Parser] = _OWN.__dict__.setdefault("parsers", {})
    if name not in parsers:
        parsers[name] = Parser(_load_grammar(name))
    return parsers[name]


@cache
def _load_grammar(name: str) -> Grammar:
    if name == "python":
        import tree_sitter_python

        return Grammar(tree_sitter_python.language())
    if name == "java":
        import tree_sitter_java

        return Grammar(tree_sitter_java.language())
    if name == "go":
        import tree_sitter_go

        return Grammar(tree_sitter_go.language())
    if name == "javascript":
        import tree_sitter_javascript

        return Grammar(tree_sitter_javascript.language())
    import tree_sitter_typescript

    if name == "tsx":
        return Grammar(tree_sitter_typescript.language_tsx())
    return Grammar(tree_sitter_typescript.language_typescript())
