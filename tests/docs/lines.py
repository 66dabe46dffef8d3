"""Commands of the documents as they stand there: what is typed, what it is called, and words in place of theirs."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from docs.website.reference.commands import read_commands

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
#: Programs that are typed; a line that begins with another word shows something else.
_TYPED = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?"
    r"(?:python3\.11 -m|python -m|make|git|curl|cp|docker|kubectl|promtool|helm|psql|openssl|sky) "
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\.venv/bin/)?python -m [^`\n]+)`")
#: Commands that only hold others.
GROUPS = frozenset(tuple(words[:2]) for command in read_commands() if len(words := command.name.split()) > 2)


class Line(NamedTuple):
    """`environment`: what is set before the words."""

    text: str
    environment: dict[str, str]
    words: list[str]

    @property
    def name(self) -> str:
        """What it is called in docs/website/proofs.py: the words after `python -m`, or the first one or two."""
        if self.words[0] in (".venv/bin/python", "python") and self.words[1:2] == ["-m"]:
            typed = self.words[2:]
            if typed[0].startswith("tests."):
                return "tests.benchmarks"
            return " ".join(typed[: 3 if tuple(typed[:2]) in GROUPS else 2])
        return " ".join(self.words[: 2 if self.words[0] in ("make", "git", "docker") else 1])


def read_lines(document: Path) -> list[Line]:
    """Whatever the document tells to type, in code on a line of its own; of a fence only those of a shell."""
    text = document.read_text(encoding="utf-8")
    shells = [inside for language, inside in _FENCE.findall(text) if language in ("sh", "console")]
    bare = _FENCE.sub("", text)
    shown = [line for line in "\n".join([*shells, bare]).replace("\\\n", " ").splitlines() if line.strip()]
    typed = [
        line.strip()
        for line in shown
        if _TYPED.match(line.strip()) and (line.startswith("    ") or line in "\n".join(shells).replace("\\\n", " "))
    ]
    return [parse_line(line) for line in typed]


def read_inline(document: Path) -> list[str]:
    """Whatever is named within a sentence: programs and their words."""
    return _INLINE.findall(document.read_text(encoding="utf-8"))


def parse_line(text: str) -> Line:
    """One line as a shell reads it; a trailing `&` is dropped."""
    words = shlex.split(text.rstrip("& "))
    settings = [word for word in words if re.match(r"[A-Z_]+=", word)]
    count = next(index for index, word in enumerate(words) if word not in settings)
    return Line(text, dict(word.split("=", 1) for word in words[:count]), words[count:])


def fill(line: Line, given: Mapping[str, object]) -> list[str]:
    """Its words after `python -m PROGRAM`, with what stands in capitals given."""
    return [str(given.get(word, word)) for word in line.words[3:]]
