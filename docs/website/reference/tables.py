"""Tables of Markdown, and what the operator's guide says in its own."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "operating.md"


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells may hold Markdown; bars and line ends in them are taken care of."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(text) for text in line)} |\n" for line in lines)


def code(text: object) -> str:
    """As code, or nothing at all."""
    return f"`{text}`" if str(text) else ""


def unlink(text: str) -> str:
    """Words without their links, which lead from another place."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
