"""What the doctor found as a table for a terminal. Words that others wrote are text there, never markup."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from app.doctor.checked import Checked, Health
from app.domain.readable import readable

_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.PROBLEM: "bold red"}


def render_table(found: Sequence[Checked]) -> Table:
    """Worst last, where a terminal's reader looks first."""
    order = list(Health)
    table = Table()
    for head in ("check", "", "found", "cure"):
        table.add_column(head, overflow="fold")  # a path that is cut short can't be copied
    for one in sorted(found, key=lambda one: order.index(one.health)):
        shown = (Text(readable(text)) for text in (one.told, one.cure))
        table.add_row(Text(readable(one.name)), Text(one.health, style=_STYLES[one.health]), *shown)
    return table
