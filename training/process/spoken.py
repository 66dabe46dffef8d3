"""How a command ends when something is wrong that a person can mend."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from app.domain.errors import UnderstudyError


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Errors made for people are shown without a traceback; anything else is a bug and keeps its own."""
    try:
        yield
    except UnderstudyError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(2) from error
