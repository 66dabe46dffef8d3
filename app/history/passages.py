"""Pieces of documentation in one file: sections of Markdown and reStructuredText, docstrings of functions and classes.

Files are strangers' work: a piece is text and nothing else, cut where it is long, and one that holds a secret or
personal data is left out. Pure.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt

from app.domain.readable import without_unseen
from app.domain.references import TEXT_CHARACTERS, Reference, ReferenceKind
from app.history.class_docs import parse_class_docs
from app.history.docstrings import parse_docstrings
from app.history.languages import load_language, select_language
from app.screening.screen import decide_texts

#: Fewer characters tell nothing that the name does not.
_SHORTEST = 20
#: Characters of a heading or a name that are kept.
_NAME_CHARACTERS = 120
#: Pieces of one file.
MOST_OF_A_FILE = 300
_READERS = {"md": "markdown", "markdown": "markdown", "mdx": "markdown", "rst": "rst"}
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*")


class _Found(NamedTuple):
    """`row` counts from 0."""

    kind: ReferenceKind
    name: str
    row: int
    text: str


def select_reader(path: str) -> str | None:
    """By the file's name: markdown, rst or a language with docstrings; None for what is not read."""
    ending = path.rpartition(".")[2].lower() if "." in path else ""
    language = select_language(path)
    return _READERS.get(ending) or (None if language is None else language.name)


def read_passages(source: bytes, reader: str, *, repository: str, path: str) -> list[Reference]:
    """In the order of the file, none twice; none of a file that is no UTF-8.

    Raises:
        KeyError: for a reader that `select_reader` never names.
    """
    try:
        text = source.decode()
    except UnicodeDecodeError:
        return []
    found = read_sections(text, reader) if reader in ("markdown", "rst") else _read_code(source, reader)
    pieces: dict[tuple[str, str], Reference] = {}
    for one in found:
        if len(pieces) == MOST_OF_A_FILE:
            break
        piece = _make(one, repository, path)
        if piece is not None:
            pieces.setdefault((piece.name, piece.text), piece)
    return list(pieces.values())


def _make(found: _Found, repository: str, path: str) -> Reference | None:
    text = without_unseen(found.text).strip()[:TEXT_CHARACTERS].rstrip()
    name = " ".join(without_unseen(found.name).split())[:_NAME_CHARACTERS]
    if len(text) < _SHORTEST or decide_texts((name, text)) is not None:
        return None
    return Reference(kind=found.kind, repository=repository, path=path, name=name, first_line=found.row + 1, text=text)


def _read_code(source: bytes, reader: str) -> Iterator[_Found]:
    language = load_language(reader)
    for one in parse_class_docs(source, language):
        kind = ReferenceKind.CLASS if one.name else ReferenceKind.SECTION
        yield _Found(kind, one.name, one.row, one.doc)
    for told in parse_docstrings(source, language):
        yield _Found(ReferenceKind.DOCSTRING, told.name, told.row, told.doc)


def read_sections(text: str, reader: str) -> Iterator[_Found]:
    """What stands under each heading up to the next, and what stands before the first."""
    lines = text.split("\n")
    headings = _markdown_headings(text) if reader == "markdown" else _rst_headings(lines)
    starts = [_Heading("", 0, 0), *headings]
    for heading, following in zip(starts, [*starts[1:], _Heading("", len(lines), len(lines))], strict=True):
        yield _Found(ReferenceKind.SECTION, heading.name, heading.row, "\n".join(lines[heading.below : following.row]))


class _Heading(NamedTuple):
    """`below`: the row under it."""

    name: str
    row: int
    below: int


def _markdown_headings(text: str) -> list[_Heading]:
    """By the block structure alone: what is within a line costs time and tells nothing here."""
    tokens = MarkdownIt("commonmark").disable("inline").parse(text)
    found = []
    for token, inner in pairwise(tokens):
        if token.type == "heading_open" and token.map is not None and token.level == 0:
            found.append(_Heading(inner.content, *token.map))
    return found


def _rst_headings(lines: list[str]) -> list[_Heading]:
    found = []
    for row, (title, under) in enumerate(pairwise(lines)):
        is_title = title[:1].strip() and not _UNDERLINE.fullmatch(title)
        if is_title and _UNDERLINE.fullmatch(under) and len(under.rstrip()) >= len(title.rstrip()):
            found.append(_Heading(title, row, row + 2))
    return found
