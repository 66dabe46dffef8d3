"""Writes the code: functions out of shapes, files out of functions."""

import ast
from collections.abc import Iterable
from functools import lru_cache
from random import Random

from app.domain.base import Record
from app.rehearsal.organisation.rules import Shape
from app.rehearsal.organisation.vocabulary import Era, draw_words, fill_slots

Lines = tuple[str, ...]

_STANDARD = ("import os", "import time", "from datetime import datetime", "from datetime import timedelta")
_THIRD_PARTY = ("import httpx", "import requests")
_HOUSE = (
    "from tidewater import audit",
    "from tidewater import buoy",
    "from tidewater import charthouse",
    "from tidewater import dock_http",
    "from tidewater import harbor_clock",
    "from tidewater import ledger",
    "from tidewater import quaylog",
    "from tidewater.berths import acquire_berth",
    "from tidewater.berths import release_berth",
    "from tidewater.boxes import ContainerId",
    "from tidewater.errors import Aground",
    "from tidewater.money import Cents",
    "from tidewater.pauses import jittered",
)
_LOCAL = (
    "from {package} import crane",
    "from {package} import labels",
    "from {package} import owners",
    "from {package} import plans",
    "from {package} import pumps",
    "from {package} import scales",
    "from {package} import settings",
    "from {package} import tariffs",
    "from {package}.log import logger",
    "from {package}.settings import AGENT_HOOK",
    "from {package}.settings import PAUSE_SECONDS",
    "from {package}.settings import PORT_API",
    "from {package}.store import db",
)


class Draft(Record):
    """A function with its house rule kept (`right`) and, for shapes of a rule, broken (`wrong`).

    `mark` is the index into `wrong` of the line that a reviewer points at.
    """

    name: str
    rule: str | None
    right: Lines
    wrong: Lines
    mark: int

    @property
    def suggestion(self) -> str | None:
        """The one line that repairs the marked one, None where it takes more than that."""
        if len(self.right) != len(self.wrong) or self.right[self.mark] == self.wrong[self.mark]:
            return None
        return self.right[self.mark]


def write_draft(rng: Random, era: Era, shape: Shape, rule: str | None, taken: set[str]) -> Draft:
    """A function whose name is not in `taken`; the name is added to it."""
    while True:
        words = draw_words(rng, era)
        rows = [(mark, fill_slots(code, words, rng)) for mark, code in shape.rows]
        name = rows[0][1].removeprefix("def ").split("(")[0]
        if name not in taken:
            taken.add(name)
            return _draft(name, rule, rows)


def _draft(name: str, rule: str | None, rows: list[tuple[str, str]]) -> Draft:
    wrong = [(mark, code) for mark, code in rows if mark != "+"]
    pointed = [index for index, (mark, _) in enumerate(wrong) if mark == ">"]
    removed = [index for index, (mark, _) in enumerate(wrong) if mark == "-"]
    return Draft(
        name=name,
        rule=rule,
        right=tuple(code for mark, code in rows if mark != "-"),
        wrong=tuple(code for _, code in wrong),
        mark=(pointed or removed or [0])[0],
    )


class SourceFile(Record):
    """A module: what it is for and its functions, in order."""

    path: str
    purpose: str
    functions: tuple[Lines, ...]


def render_file(file: SourceFile) -> str:
    """The whole text; a module without functions does not exist and is the empty text."""
    if not file.functions:
        return ""
    blocks = ["\n".join(lines) for lines in file.functions]
    return "\n\n\n".join([_head(file), *blocks]) + "\n"


def function_starts(file: SourceFile) -> tuple[int, ...]:
    """The 1-based line of every function's `def` in the rendered text."""
    starts, line = [], _head(file).count("\n") + 4
    for lines in file.functions:
        starts.append(line)
        line += len(lines) + 2
    return tuple(starts)


def _head(file: SourceFile) -> str:
    package = file.path.split("/", maxsplit=1)[0]
    groups = [_imports(group, package, file.functions) for group in (_STANDARD, _THIRD_PARTY, _HOUSE, _LOCAL)]
    return "\n\n".join([f'"""{file.purpose}"""', *(group for group in groups if group)])


def _imports(group: Iterable[str], package: str, functions: tuple[Lines, ...]) -> str:
    used = frozenset[str]().union(*(_names(lines) for lines in functions))
    return "\n".join(line.format(package=package) for line in group if line.split()[-1] in used)


@lru_cache(maxsize=4096)
def _names(lines: Lines) -> frozenset[str]:
    """Every name that the function reads."""
    tree = ast.parse("\n".join(lines))
    return frozenset(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
