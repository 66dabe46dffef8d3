"""How a check is spelled: the figure, its interval, and the threshold it was held against."""

from app.domain.evals import Figure, Reason


def unmeasured(check: str, why: str, *, advisory: bool = False) -> Reason:
    """Advisory where nothing was there to be measured, so that nobody can be asked to measure it."""
    return Reason(check=check, passed=False, measured=False, advisory=advisory, text=f"not measured: {why}")


def share_reason(check: str, figure: Figure | None, limit: float, *, most: bool, of: str) -> Reason:
    """A share held against the most, or the least, that is allowed."""
    if figure is None:
        return unmeasured(check, f"nothing held out tells how many {of}")
    passed = figure.value <= limit if most else figure.value >= limit
    return Reason(
        check=check,
        passed=passed,
        text=f"{share(figure)} of {figure.n} {of}; {'at most' if most else 'at least'} {limit:.0%} is wanted",
    )


def share(figure: Figure) -> str:
    return f"{figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%})"


def nats(figure: Figure) -> str:
    return f"{figure.value:.3f} nats a token ({figure.low:.3f} to {figure.high:.3f})"
