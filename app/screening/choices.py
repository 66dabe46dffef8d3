"""What people asked to be left out of: their own words, and whole pull requests. Pure."""

from collections.abc import Collection

from app.domain.noise import Noise

PRIVATE_LABEL = "understudy:private"


def decide_opted_out(logins: Collection[str | None], opted_out: Collection[str]) -> Noise | None:
    """Whether any of the logins asked not to be learned from; logins are compared as GitHub does, without case."""
    asked = {login.lower() for login in opted_out}
    if any(login is not None and login.lower() in asked for login in logins):
        return Noise(reason="opted_out", detail="its author asked not to be learned from")
    return None


def decide_private(labels: Collection[str], private: str = PRIVATE_LABEL) -> Noise | None:
    if private.lower() in {label.lower() for label in labels}:
        return Noise(reason="private", detail=f"the pull request carries the label {private}")
    return None
