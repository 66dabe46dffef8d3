"""What a house rule is made of: its words, and code shapes that show it broken and kept.

A shape is a function written as the diff of its own fix. The first column of each line says where the line belongs:

    ' '  in both forms        '-'  only while the rule is broken        '+'  only once it is kept
    '>'  in both forms, and the line a reviewer points at; without one, that is the first '-' line

`$noun` and the other names of vocabulary.py are filled in, `$<a|b>` takes one of its parts.
"""

import re
from functools import cached_property

from app.domain.base import Record


class Shape(Record):
    """One function with slots. `unseen` shapes appear in held-out pull requests and nowhere else."""

    text: str
    unseen: bool = False

    @cached_property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """(mark, code) of every line."""
        return tuple((row[:1] or " ", row[1:]) for row in self.text.strip("\n").split("\n"))

    @property
    def renewable(self) -> bool:
        """Whether the line a reviewer points at takes a word of the lexicon, so that new words make it a new line."""
        pointed = next((code for mark, code in self.rows if mark == ">"), None)
        broken = next((code for mark, code in self.rows if mark == "-"), "")
        return re.search(r"\$(?!<)", broken if pointed is None else pointed) is not None


class HouseRule(Record):
    """One thing the team insists on. `marker` stands in every phrasing of this rule and of no other."""

    id: str
    title: str
    marker: str
    #: whether the commented line alone looks the same as in correct code
    needs_surroundings: bool
    #: reviewer → how they say it. People repeat themselves, and a small base learns it in minutes because they do.
    phrasings: dict[str, str]
    shapes: tuple[Shape, ...]


def parse_shapes(known: str, unseen: str = "") -> tuple[Shape, ...]:
    """Shapes from two texts, functions separated by lines of `---`."""
    return tuple(
        Shape(text=part, unseen=new)
        for text, new in ((known, False), (unseen, True))
        for part in re.split(r"(?m)^---\n", text.strip("\n") + "\n")
        if part.strip()
    )
