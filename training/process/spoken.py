"""How a command ends when something is wrong that a person can mend."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from app.domain.errors import RetryLater, UnderstudyError

_LATER = 75


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Errors made for people are shown without a traceback; anything else is a bug and keeps its own.

    Exit codes: 2, somebody must mend something; 75 (EX_TEMPFAIL of sysexits.h), the same call may work later.
    """
    try:
        yield
    except UnderstudyError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(_LATER if isinstance(error, RetryLater) else 2) from error
