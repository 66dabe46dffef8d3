"""The pictures of "How it learns", drawn as SVG. Pure: the same bytes at every run.

Each has a ground of its own and two sets of colours, so that it can be read on a light and on a dark page, whichever of
the two a reader chose and whether or not the picture is told of that choice.
"""

from html import escape
from itertools import pairwise
from typing import NamedTuple

_STYLE = """
.ground{fill:#f6f8fa}.box{fill:#ffffff;stroke:#57606a;stroke-width:1.5}.key{fill:#ddf4ff;stroke:#0969da}
.out{fill:#fff8c5;stroke:#7d4e00}.t{fill:#1f2328;font:600 15px system-ui,sans-serif;text-anchor:middle}
.s{fill:#424a53;font:13px system-ui,sans-serif;text-anchor:middle}
.a{fill:none;stroke:#57606a;stroke-width:1.75;marker-end:url(#to)}.h{fill:#57606a}
@media (prefers-color-scheme:dark){.ground{fill:#161b22}.box{fill:#0d1117;stroke:#9198a1}
.key{fill:#0c2d6b;stroke:#58a6ff}.out{fill:#3b2300;stroke:#e3b341}.t{fill:#f0f6fc}.s{fill:#c9d1d9}
.a{stroke:#9198a1}.h{fill:#9198a1}}
""".replace("\n", "")
_MARKER = (
    '<marker id="to" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="h" d="M0 0 10 5 0 10z"/></marker>'
)


class Box(NamedTuple):
    """Centre, words and a look: `box`, `key` for what decides, `out` for what comes out."""

    x: int
    y: int
    title: str
    lines: tuple[str, ...] = ()
    look: str = "box"
    width: int = 190

    @property
    def height(self) -> int:
        return 40 + 18 * len(self.lines)


def render_pictures() -> dict[str, str]:
    """File name → SVG."""
    return {"loop.svg": _loop(), "where-what-whether.svg": _parts(), "gate.svg": _gate()}


def _loop() -> str:
    top = [
        Box(110, 80, "Merged pull requests", ("threads, commits,", "what became of them"), "out"),
        Box(330, 80, "Harvest", ("comments with evidence,", "hunks left in silence")),
        Box(550, 80, "Curate", ("people with write", "access let in"), "key"),
        Box(770, 80, "Snapshot", ("frozen; later pull", "requests held out")),
    ]
    bottom = [
        Box(770, 230, "Train", ("a LoRA adapter,", "from the base")),
        Box(550, 230, "Gate", ("promote, hold", "or reject"), "key"),
        Box(330, 230, "Serve", ("proven again on", "the server")),
        Box(110, 230, "Review", ("at most three comments", "on the next one"), "out"),
    ]
    arrows = [*_chain(top, sideways=1), *_chain(bottom, sideways=-1)]
    arrows += [_arrow(770, 118, 770, 190), _arrow(110, 192, 110, 120)]
    return _picture(880, 310, "The loop", [*top, *bottom], arrows)


def _parts() -> str:
    boxes = [
        Box(210, 55, "Added lines", ("of a pull request",), "out", 330),
        Box(210, 165, "Locator: where", ("Would this team comment on this line?",), "key", 330),
        Box(210, 275, "Adapter: what", ("The comment, under a JSON schema",), "key", 330),
        Box(210, 385, "AcceptanceFilter: whether", ("Does this team act on such words?",), "key", 330),
        Box(210, 495, "One review", ("at most three comments",), "out", 330),
    ]
    quiet = [Box(600, y, "Silence", (said,), "box", 190) for y, said in ((165, "most lines"), (385, "seldom acted on"))]
    arrows = [_arrow(210, one.y + 29, 210, two.y - 31) for one, two in pairwise(boxes)]
    arrows += [_arrow(375, box.y, 503, box.y) for box in quiet]
    return _picture(720, 550, "Where, what, whether", [*boxes, *quiet], arrows)


def _gate() -> str:
    asked = (
        ("Less surprised?", "by the team's own words than the base"),
        ("Bound to the hunk?", "or only to a tone"),
        ("Better than looking up?", "the most similar past comments"),
        ("Quiet on clean hunks?", "and finds the commented lines"),
        ("Nothing forgotten?", "programs and general text"),
        ("The same as served?", "row by row, on the server"),
    )
    boxes = [
        Box(190 + 340 * (n % 2), 50 + 80 * (n // 2), title, (line,), "box", 310)
        for n, (title, line) in enumerate(asked)
    ]
    verdicts = [
        Box(130, 350, "Promote", ("every check passed",), "key", 200),
        Box(360, 350, "Hold", ("too little was measured",), "box", 200),
        Box(590, 350, "Reject", ("no lift, or harm",), "out", 200),
    ]
    arrows = [_arrow(360, 245, box.x, 319) for box in verdicts]
    return _picture(720, 405, "The gate", [*boxes, *verdicts], arrows)


def _chain(boxes: list[Box], *, sideways: int) -> list[str]:
    return [
        _arrow(one.x + sideways * one.width // 2, one.y, two.x - sideways * (two.width // 2 + 2), two.y)
        for one, two in pairwise(boxes)
    ]


def _arrow(x: int, y: int, to_x: int, to_y: int) -> str:
    return f'<path class="a" d="M{x} {y} {to_x} {to_y}"/>'


def _picture(width: int, height: int, title: str, boxes: list[Box], arrows: list[str]) -> str:
    inside = [f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", f"<defs>{_MARKER}</defs>"]
    inside += [f'<rect class="ground" width="{width}" height="{height}" rx="10"/>', *arrows]
    inside += [line for box in boxes for line in _draw(box)]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([opening, *inside, "</svg>", ""])


def _draw(box: Box) -> list[str]:
    left, top = box.x - box.width // 2, box.y - box.height // 2
    shape = f'<rect class="box {box.look}" x="{left}" y="{top}" width="{box.width}" height="{box.height}" rx="7"/>'
    rows = [f'<text class="t" x="{box.x}" y="{top + 25}">{escape(box.title)}</text>']
    rows += [
        f'<text class="s" x="{box.x}" y="{top + 46 + 18 * n}">{escape(line)}</text>' for n, line in enumerate(box.lines)
    ]
    return [shape, *rows]
