"""Rows of the world at large, against forgetting, out of the Python that runs the training.

Three shapes in turn, for each keeps what the others do not: the docstring of a function as JSON, the body of a function
as a chat's answer, and a module's own documentation as plain text. They are on every machine, belong to no team and
are read when they are needed, so nothing is downloaded or shipped. The same Python and seed give the same rows;
`GeneralSource` says which.
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
from itertools import cycle
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
_BODY = "Write the body of this Python function.\n{header}"
#: Characters of a function and its docstring. Longer ones cost more than they keep.
_LARGEST = 1500
_SMALLEST_DOCSTRING = 40
_SMALLEST_PROSE = 400


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
        source=f"functions and documentation of the standard library of Python {version}",
        hash=digest,
    )
    return GeneralRows(rows, source)


def _files(library: Path) -> Iterator[Path]:
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).parts
        if not any(part.startswith((*_LEFT_OUT, "_")) for part in parts):
            yield path


def _rows(files: list[Path], tokenizer: Tokenizer) -> Iterator[TokenRow]:
    """One row per file, so that no module has the word."""
    shapes = cycle((_docstring_row, _body_row, _prose_row))
    shape = next(shapes)
    for path in files:
        row = shape(path, tokenizer)
        if row is not None:
            yield row
            shape = next(shapes)


def _docstring_row(path: Path, tokenizer: Tokenizer) -> TokenRow | None:
    found = next(read_functions(_read(path), path.name), None)
    if found is None:
        return None
    (_, user), answer = render_written(found)
    prompt = (Message(role="system", content=_ASKED), user)
    return tokenizer.row(f"general:{path.name}:{found.function}", prompt, (answer,))


def _body_row(path: Path, tokenizer: Tokenizer) -> TokenRow | None:
    found = next(read_functions(_read(path), path.name), None)
    if found is None:
        return None
    header, _, body = found.context.partition("\n")
    if not header.rstrip().endswith(":") or not body.strip():
        return None  # the header goes over several lines
    documented = f'{header}\n    """{found.text}"""'
    asked = (Message(role="user", content=_BODY.format(header=documented)),)
    answer = (Message(role="assistant", content=f"```python\n{body.rstrip()}\n```"),)
    return tokenizer.row(f"general:{path.name}:{found.function}:body", asked, answer)


def _prose_row(path: Path, tokenizer: Tokenizer) -> TokenRow | None:
    """Plain text without a turn of a chat; its first token is context."""
    try:
        text = ast.get_docstring(ast.parse(_read(path)))
    except SyntaxError:
        return None
    if text is None or len(text) < _SMALLEST_PROSE:
        return None
    tokens = tokenizer.raw(" ".join(text.split())[:_LARGEST], add_special_tokens=False)["input_ids"]
    return TokenRow(example=f"general:{path.name}:prose", tokens=tuple(tokens), prompt_tokens=1)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


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
