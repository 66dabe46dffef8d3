"""Commands of the documents as they stand there: what is typed, what it is called, and words in place of theirs."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from docs.website.proofs import PROOFS
from docs.website.reference.commands import read_commands

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
#: Programs that are typed; a line that begins with another word shows something else.
_TYPED = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?"
    r"(?:python3\.11 -m|python -m|make|git|curl|cp|docker|kubectl|promtool|helm|psql|openssl|sky|gh) "
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A block of code by its indentation: after an empty line or a heading.
_INDENTED = re.compile(r"(?:(?<=\n\n)|^#.*\n)((?:    \S.*(?:\n|\Z))+)", re.MULTILINE)
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
                return ".".join(typed[0].split(".")[:2])
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


def show_told(text: str) -> str:
    """The same page with a line under every block of indented commands that says which test runs them, or why none."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _INDENTED.sub(_say_proofs, part) for part in parts)


def _say_proofs(found: re.Match[str]) -> str:
    typed = [parse_line(line.strip()) for line in found[1].splitlines() if _TYPED.match(line.strip())]
    proofs = {PROOFS[line.name]: None for line in typed if line.name in PROOFS}
    told = [f'<p class="proof{" ran" if proof.ran else ""}">{proof.text}</p>' for proof in proofs]
    return found[0] + "".join(f"\n{line}\n" for line in told)


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
