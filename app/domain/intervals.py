"""Shares and their differences with an honest interval, also at 0 and 1. Pure."""

from math import hypot, sqrt

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


def newcombe_interval(one: Figure | None, other: Figure | None) -> Figure | None:
    """one minus other with its 95 % interval (Newcombe 1998, method 10: from both Wilson intervals), in -1..1.

    None where either is. `n` counts the observations of both.
    """
    if one is None or other is None:
        return None
    difference = one.value - other.value
    return Figure(
        value=difference,
        low=difference - hypot(one.value - one.low, other.high - other.value),
        high=difference + hypot(one.high - one.value, other.value - other.low),
        n=one.n + other.n,
    )
