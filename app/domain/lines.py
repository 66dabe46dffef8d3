"""What the Locator looks at: one added line and its surroundings, as text blocks.

Shared by training (which fits) and review (which scores), so both see the same words.
"""

from app.domain.base import Record
from app.domain.diff import DiffLine, Hunk

#: Lines of the new file shown on either side in the `above` and `below` blocks.
WINDOW = 4


class LineSite(Record):
    """An added line and where it stands. `line` is its new-side number."""

    path: str
    line: int
    text: str
    previous: str
    above: str
    below: str


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
    )
