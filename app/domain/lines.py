"""What the Locator looks at: one added line and its surroundings, as text blocks.

Shared by training (which fits) and review (which scores), so both see the same words.
"""

import re

from app.domain.base import Record
from app.domain.diff import DiffLine, Hunk

#: Lines of the new file shown on either side in the `above` and `below` blocks.
WINDOW = 4
_NAME = re.compile(r"[A-Za-z_]\w*")


class LineSite(Record):
    """An added line and where it stands. `line` is its new-side number.

    `enclosing` holds the lines that open the blocks around it, innermost first, as indentation shows them.
    """

    path: str
    line: int
    text: str
    previous: str
    above: str
    below: str
    enclosing: str = ""


def render_pairs(site: LineSite) -> str:
    """The line's names joined with each name near it: what a rule about two lines is written in.

    `a^b`: b on the line before; `a@b`: b opens a block around; `a~b`: b in the lines below. Separated by spaces.
    """
    names = _names(site.text)
    around = (("^", site.previous), ("@", site.enclosing), ("~", site.below))
    return " ".join(f"{name}{mark}{other}" for name in names for mark, text in around for other in _names(text))


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(_NAME.findall(text)))


def render_sites(path: str, hunk: Hunk) -> tuple[LineSite, ...]:
    """A LineSite for each added line of the hunk that is not blank, in order.

    Removed lines are no surroundings: the Locator reads the file as it will be.
    """
    kept = [line for line in hunk.lines if line.kind != "removed"]
    return tuple(
        _site(path, kept, index) for index, line in enumerate(kept) if line.kind == "added" and line.text.strip()
    )


def _site(path: str, kept: list[DiffLine], index: int) -> LineSite:
    line = kept[index]
    assert line.new is not None  # added lines always have a new-side number
    return LineSite(
        path=path,
        line=line.new,
        text=line.text.strip(),
        previous=kept[index - 1].text.strip() if index else "",
        above="\n".join(item.text.strip() for item in kept[max(0, index - WINDOW) : index]),
        below="\n".join(item.text.strip() for item in kept[index + 1 : index + 1 + WINDOW]),
        enclosing="\n".join(_enclosing(kept, index)),
    )


def _enclosing(kept: list[DiffLine], index: int) -> list[str]:
    """Lines above that stand further left than everything below them, innermost first."""
    depth, found = _depth(kept[index]), []
    for line in reversed(kept[:index]):
        if line.text.strip() and _depth(line) < depth:
            depth = _depth(line)
            found.append(line.text.strip())
    return found


def _depth(line: DiffLine) -> int:
    text = line.text.expandtabs(4)
    return len(text) - len(text.lstrip())
