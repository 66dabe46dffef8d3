"""Links that work in the checkout, made to work in the site. Pure."""

import itertools
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
#: Where files of the checkout that are no pages lie in the site.
FILES = "files"
Kind = Literal["file", "folder"]


class Mended(NamedTuple):
    """`files`: paths in the checkout that the text now links to under `FILES`."""

    text: str
    files: frozenset[str]


def mend_links(
    text: str, *, source: str, name: str, places: Mapping[str, str], kind: Callable[[str], Kind | None]
) -> Mended:
    """`source` is the page's path in the checkout, `name` its place in the site, `places` path → place of all that is
    in the site, `kind` what is at a path of the checkout. A file that is no page is linked where it is laid beside
    them; a folder has no page, so its name stays. A target that is nowhere is left, for the builder to refuse."""
    files: set[str] = set()

    def mend(found: re.Match[str]) -> str:
        image, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        place = places.get(path) or places.get(f"{path}/README.md")
        if place is None and kind(path) == "file":
            files.add(path)
            place = f"{FILES}/{path}"
        if place is None:
            return words if kind(path) == "folder" else found[0]
        return f"{image}[{words}]({posixpath.relpath(place, posixpath.dirname(name) or '.')}{anchor})"

    mended = "".join(_LINK.sub(mend, part) if prose else part for prose, part in _split(text))
    return Mended(mended, frozenset(files))


def _split(text: str) -> Iterator[tuple[bool, str]]:
    """Pieces, and whether each is prose: what stands in a fence is shown as it is."""
    for fenced, lines in itertools.groupby(_mark(text), key=lambda marked: marked[0]):
        yield not fenced, "".join(line for _, line in lines)


def _mark(text: str) -> Iterator[tuple[bool, str]]:
    fence: str | None = None
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence is None:
            fence = found[1] if found else None
            yield fence is not None, line
        else:
            yield True, line
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = None
