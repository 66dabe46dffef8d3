"""Rows of the world at large, against forgetting: documented functions of the Python that runs the training.

They are on every machine, belong to no team and are read when they are needed, so nothing is downloaded or shipped. The
same Python and seed give the same rows; `GeneralSource` says which.
"""

import ast
import hashlib
import random
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent

from app.domain.base import Record
from app.domain.prompt import Message
from app.domain.written import WrittenExample, WrittenKind
from app.domain.written_prompt import render_written
from training.rows.tokenising import Tokenizer, TokenRow

#: The team's own docstring rows ask for its voice; these must not be taken for it.
_ASKED = 'Write the docstring of this function, as JSON: {"docstring": "..."}.'
_LEFT_OUT = ("test", "idlelib", "site-packages", "dist-packages", "lib2to3", "pydoc_data")
#: Characters of a function and its docstring. Longer ones cost more than they keep.
_LARGEST = 1500
_SMALLEST_DOCSTRING = 40


class GeneralSource(Record):
    """Where the general rows came from; `hash` is the sha256 of their tokens in order."""

    rows: int
    tokens: int
    source: str
    hash: str


@dataclass(frozen=True)
class GeneralRows:
    """At most the tokens asked for."""

    rows: tuple[TokenRow, ...]
    source: GeneralSource


def load_general(tokenizer: Tokenizer, *, tokens: float, longest: int, seed: int) -> GeneralRows | None:
    """Rows of together at most `tokens` tokens, none over `longest`; None where not one fits."""
    draw = random.Random(seed)  # noqa: S311 - a choice that can be repeated, no secret
    files = sorted(_files(Path(sysconfig.get_path("stdlib"))))
    draw.shuffle(files)
    chosen: list[TokenRow] = []
    room = tokens
    for row in _rows(files, tokenizer):
        if room < 64:
            break
        if len(row.tokens) <= min(room, longest):
            chosen.append(row)
            room -= len(row.tokens)
    return _told(tuple(chosen)) if chosen else None


def _told(rows: tuple[TokenRow, ...]) -> GeneralRows:
    digest = hashlib.sha256(repr([row.tokens for row in rows]).encode()).hexdigest()
    version = ".".join(map(str, sys.version_info[:3]))
    source = GeneralSource(
        rows=len(rows),
        tokens=sum(len(row.tokens) for row in rows),
        source=f"documented functions of the standard library of Python {version}",
        hash=digest,
    )
    return GeneralRows(rows, source)


def _files(library: Path) -> Iterator[Path]:
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).parts
        if not any(part.startswith((*_LEFT_OUT, "_")) for part in parts):
            yield path


def _rows(files: list[Path], tokenizer: Tokenizer) -> Iterator[TokenRow]:
    """One function per file, so that no module has the word."""
    for path in files:
        found = next(read_functions(path.read_text(encoding="utf-8", errors="replace"), path.name), None)
        if found is not None:
            (_, user), answer = render_written(found)
            prompt = (Message(role="system", content=_ASKED), user)
            yield tokenizer.row(f"general:{path.name}:{found.function}", prompt, (answer,))


def read_functions(source: str, name: str) -> Iterator[WrittenExample]:
    """The documented functions of a module that are short enough, each without its docstring."""
    try:
        module = ast.parse(source)
    except SyntaxError:  # the library carries a few files that are broken on purpose
        return
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
            text = ast.get_docstring(node, clean=False)
            end = node.end_lineno
            if text is None or end is None or len(text) < _SMALLEST_DOCSTRING:
                continue
            lines = source.splitlines()
            opened, closed = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            code = "\n".join([*lines[node.lineno - 1 : opened - 1], *lines[closed:end]])
            if len(code) + len(text) <= _LARGEST:
                yield _example(name, node.name, dedent(code).strip(), cleandoc(text))


def _example(path: str, function: str, code: str, text: str) -> WrittenExample:
    return WrittenExample(
        kind=WrittenKind.DOCSTRING,
        host="localhost",
        repository_id=0,
        repository="python/standard-library",
        commit_sha="0" * 40,
        written_at=datetime(1970, 1, 1, tzinfo=UTC),
        path=path,
        language="python",
        function=function,
        context=code,
        text=text,
    )
