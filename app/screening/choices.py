"""Whose words are left out because they asked for it. Pure."""

from collections.abc import Collection

from app.domain.noise import Noise


def decide_opted_out(logins: Collection[str | None], opted_out: Collection[str]) -> Noise | None:
    """Whether any of the logins asked not to be learned from; logins are compared as GitHub does, without case."""
    asked = {login.lower() for login in opted_out}
    if any(login is not None and login.lower() in asked for login in logins):
        return Noise(reason="opted_out", detail="its author asked not to be learned from")
    return None
