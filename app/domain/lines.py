"""What the Locator looks at: one added line and its surroundings, as text blocks.

Shared by training (which fits) and review (which scores), so both see the same words.
"""

import re
from collections.abc import Iterator
from itertools import islice

from app.domain.base import Record
from app.domain.diff import DiffLine, Hunk
from app.domain.prompt import LINE_WIDTH
from app.domain.shapes import measure_shapes

#: Lines of the new file shown on either side in the `above` and `below` blocks.
WINDOW = 4
#: Bounds that code written by people stays under. Without them two lines of a stranger's diff cost the square of
#: their length, and a staircase of indentation the square of its height.
ENCLOSING = 12
NAMES_PER_LINE = 40
PAIRS_PER_LINE = 2_000
_NAME = re.compile(r"[A-Za-z_]\w*")


class LineSite(Record):
    """An added line and where it stands. `line` is its new-side number. Every text is cut at LINE_WIDTH characters.

    `enclosing` holds the lines that open the blocks around it, innermost first, as indentation shows them; the
    innermost ENCLOSING of them. `shape` holds the numbers of `app/domain/shapes.py` in their order,
    separated by spaces.
    """

    path: str
    line: int
    text: str
    previous: str
    above: str
    below: str
    enclosing: str = ""
    shape: str = ""


def render_pairs(site: LineSite) -> str:
    """The line's names joined with each name near it: what a rule about two lines is written in.

    `a^b`: b on the line before; `a@b`: b opens a block around; `a~b`: b in the lines below. Separated by spaces; the
    first NAMES_PER_LINE names of a line, and the first PAIRS_PER_LINE pairs.
    """
    around = [(mark, _names(text)) for mark, text in (("^", site.previous), ("@", site.enclosing), ("~", site.below))]
    pairs = (f"{name}{mark}{other}" for name in _names(site.text) for mark, others in around for other in others)
    return " ".join(islice(pairs, PAIRS_PER_LINE))


def _names(text: str) -> list[str]:
    names = (name for line in text.split("\n") for name in list(dict.fromkeys(_NAME.findall(line)))[:NAMES_PER_LINE])
    return list(dict.fromkeys(names))


def render_sites(path: str, hunk: Hunk) -> tuple[LineSite, ...]:
    """A LineSite for each added line of the hunk that is not blank, in order.

    Removed lines are no surroundings, for the Locator reads the file as it will be; its `shape` counts them.
    """
    kept = [line for line in hunk.lines if line.kind != "removed"]
    shapes = measure_shapes(path, hunk)
    return tuple(
        _site(path, kept, index, enclosing, shapes)
        for index, enclosing in _walk_enclosing(kept)
        if kept[index].kind == "added"
    )


def _site(
    path: str, kept: list[DiffLine], index: int, enclosing: list[str], shapes: dict[int, tuple[int, ...]]
) -> LineSite:
    line = kept[index]
    assert line.new is not None  # added lines always have a new-side number
    return LineSite(
        path=path,
        line=line.new,
        text=cut_text(line),
        previous=cut_text(kept[index - 1]) if index else "",
        above="\n".join(cut_text(item) for item in kept[max(0, index - WINDOW) : index]),
        below="\n".join(cut_text(item) for item in kept[index + 1 : index + 1 + WINDOW]),
        enclosing="\n".join(enclosing),
        shape=" ".join(str(int(number)) for number in shapes[line.new]),
    )


def cut_text(line: DiffLine) -> str:
    """A line as sites and fingerprints read it."""
    return line.text.strip()[:LINE_WIDTH]


def _walk_enclosing(kept: list[DiffLine]) -> Iterator[tuple[int, list[str]]]:
    """Each line with text, by index, and the lines above it that stand further left than all between, innermost first.

    One walk for the whole hunk: the lines that still enclose what comes lie on a stack.
    """
    around: list[tuple[int, str]] = []
    for index, line in enumerate(kept):
        if not line.text.strip():
            continue
        depth = _depth(line)
        while around and around[-1][0] >= depth:
            around.pop()
        yield index, [text for _, text in reversed(around[-ENCLOSING:])]
        around.append((depth, cut_text(line)))


def _depth(line: DiffLine) -> int:
    text = line.text.expandtabs(4)
    return len(text) - len(text.lstrip())
