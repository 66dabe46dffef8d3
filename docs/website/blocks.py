"""Fenced blocks of commands, and the marks that say how each is proven. Pure.

A mark stands after the language: ```` ```sh run=NAME ````. Such a block is run as it stands by the test of that name
(docs/website/proofs.py), which brings what it needs. `needs=WHAT` blocks cannot be run by a test, and say what is
lacking; their programs and options are checked to exist.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_FENCED = re.compile(r"^```sh (run=[\w-]+|needs=[\w,-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEEDS = {
    "github": "GitHub",
    "gpu": "a GPU",
    "root": "an administrator's rights",
    "cluster": "a cluster",
    "yours": "values of your own",
}


class Block(NamedTuple):
    """`by` names the test that runs it; `needs` says what is lacking where none can. One of both is empty."""

    by: str
    needs: tuple[str, ...]
    text: str

    @property
    def commands(self) -> list[str]:
        """One for each line; a line that ends with a backslash goes on in the next."""
        joined = self.text.replace("\\\n", " ")
        return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def read_blocks(text: str) -> Iterator[Block]:
    """Every marked block of a page, in order."""
    for mark, inside in _FENCED.findall(text):
        word, _, value = mark.partition("=")
        yield Block(value if word == "run" else "", tuple(value.split(",")) if word == "needs" else (), inside)


def show_proofs(text: str, named: Mapping[str, str]) -> str:
    """The same page with a line under every marked block that says how it is proven; `named`: name → its test."""

    def show(found: re.Match[str]) -> str:
        (block,) = read_blocks(found[0])
        if not block.needs:
            return f'{found[0]}\n\n<p class="proof ran">Run as it stands by <code>{named[block.by]}</code>.</p>'
        lacking = " and ".join(_NEEDS[need] for need in block.needs)
        return f'{found[0]}\n\n<p class="proof">Checked by the tests, not run: needs {lacking}.</p>'

    return _FENCED.sub(show, text)
