"""How a rehearsal speaks: a heading for each stage, figures under it, a moving line on whatever takes longer."""

import io
import re
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

#: Seconds between progress lines where the output is no terminal (a log can't be redrawn).
_PLAIN_PROGRESS_SECONDS = 10.0


class Narrator:
    """Prints the story. Nothing in it decides anything, and no text is read as markup: most of it is data."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, width=110)
        self._started = time.monotonic()
        self._last_plain = 0.0
        self._open_line = False
        self._panels: list[Panel] = []

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._started

    def open(self, title: str, words: str) -> None:
        self._close_line()
        self.console.print()
        self.console.print(Text.assemble((title, "bold"), (f"  {self.elapsed_seconds:.0f} s", "dim")))
        self.console.print(Text(words, style="dim"))

    def say(self, *parts: str | tuple[str, str]) -> None:
        """One line of texts, each plain or with its style."""
        self._close_line()
        self.console.print(Text.assemble("  ", *parts))

    def progress(self, text: str) -> None:
        """Redrawn in place on a terminal, now and then a line of its own elsewhere."""
        if self.console.is_terminal:
            self.console.file.write(f"\r\x1b[2K  … {text[: self.console.width - 6]}")
            self.console.file.flush()
            self._open_line = True
        elif time.monotonic() - self._last_plain > _PLAIN_PROGRESS_SECONDS:
            self._last_plain = time.monotonic()
            self.console.print(Text(f"  … {text}"))

    def table(self, columns: list[str], rows: list[list[str]]) -> None:
        self._close_line()
        table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print(table)

    def panel(self, title: str, body: str, subtitle: str = "") -> None:
        self._close_line()
        panel = Panel(Text(body), title=Text(title), subtitle=Text(subtitle), title_align="left", width=104)
        self._panels.append(panel)
        self.console.print(panel)

    def save_picture(self, path: Path, title: str) -> None:
        """Every panel shown so far as one SVG, in the reader's own font: nothing is fetched to show it."""
        picture = Console(file=io.StringIO(), record=True, width=106)
        for panel in self._panels:
            picture.print(panel)
        svg = picture.export_svg(title=title, unique_id="understudy")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")

    def fail(self, reason: str) -> None:
        self._close_line()
        self.console.print(Text.assemble(("stopped:", "bold red"), f" {reason}"))

    def _close_line(self) -> None:
        if self._open_line:
            self.console.file.write("\r\x1b[2K")
            self._open_line = False
