"""Errors have audiences: a person, the workflow engine, or us. Anything else that is raised is a bug."""

from collections.abc import Iterator
from contextlib import contextmanager


class UnderstudyError(Exception):
    """Root of every error this project raises on purpose."""


class UserError(UnderstudyError):
    """Its text is shown to a person: it says what was expected, what came and what to do."""


class Refused(UnderstudyError):
    """A request that must not be carried out; `reason` is a stable word for logs and tests."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RetryLater(UnderstudyError):
    """The work is fine, the moment is not. `after_seconds` is the least time to wait, as the other side asked."""

    def __init__(self, message: str, after_seconds: float) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


@contextmanager
def spoken_place(place: object) -> Iterator[None]:
    """Around acts on a file or folder that a person named, and around nothing else.

    Raises:
        UserError: naming the place, in the stead of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"expected {place} to be a place that can be written, got {reason!r}; name another, or free this one"
        ) from error
