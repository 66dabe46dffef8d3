"""Shares with an honest interval, also at 0 and 1. Pure."""

from math import sqrt

from app.domain.evals import Figure

#: Of the 95 % interval.
_Z = 1.959964


def wilson_interval(hits: int, n: int) -> Figure | None:
    """The share with its 95 % interval (Wilson 1927), None for no observation."""
    if n == 0:
        return None
    share, square = hits / n, _Z * _Z / n
    middle = (share + square / 2) / (1 + square)
    reach = _Z * sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return Figure(value=share, low=max(0.0, middle - reach), high=min(1.0, middle + reach), n=n)
