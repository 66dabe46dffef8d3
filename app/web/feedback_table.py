"""The rates of an installation's reviews as tables for a terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from app.domain.evals import Figure
from app.review.rates import AdapterRates

_NOTHING = "–"


def render_tables(rates: Sequence[AdapterRates]) -> Iterator[Table]:
    """What people made of the comments, and what the control group says of them."""
    taken = Table("adapter", "PRs", "comments", "undecided", "addressed", "dismissed", "ignored", "false alarms")
    for name in ("comments / PR", "missed", "to review"):
        taken.add_column(name)
    compared = Table("adapter", "PRs held back", "line changed: posted", "held back", "difference")
    for one in rates:
        taken.add_row(one.adapter, *_taken(one))
        held = one.holdback
        compared.add_row(
            one.adapter, str(one.held_back_pulls), *map(render_share, (held.posted, held.held_back, held.difference))
        )
    yield from (taken, compared)


def _taken(one: AdapterRates) -> list[str]:
    shares = map(render_share, (one.addressed, one.dismissed, one.ignored, one.false_alarms))
    each = _NOTHING if one.comments_per_pull is None else f"{one.comments_per_pull:.2f}"
    time = _NOTHING if one.seconds_to_review is None else f"{one.seconds_to_review:.0f} s"
    return [str(one.pulls), str(one.comments), str(one.undecided), *shares, each, str(one.missed), time]


def render_share(figure: Figure | None) -> str:
    """As `62 % (48–74, n=50)`."""
    if figure is None:
        return _NOTHING
    value, low, high = (round(100 * part) for part in (figure.value, figure.low, figure.high))
    return f"{value} % ({low}–{high}, n={figure.n})" if low >= 0 else f"{value} % ({low} to {high}, n={figure.n})"
